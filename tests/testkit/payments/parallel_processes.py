"""Processes of their own that do something at once, each with an application that calls the world by HTTP."""

import random
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any

from flask import Flask
from payment_service.app import create_app
from payment_service.commands.upkeep.give_positions import give_positions
from payment_service.config import Config
from payment_service.controllers.request import EXTENSION
from payment_service.domain.positions import EVENTS
from payment_service.extensions import db
from service_kit.clock import utc_now
from sqlalchemy import event

from tests.testkit.fake_clock import FakeClock

_LONGEST_S = 120.0

# What a racer does with an order that it is sent; it must be importable, as the racer gets its name only.
Run = Callable[[Flask, Any], Any]


class Racer:
    """One process."""

    def __init__(self, run: Run, config: Config) -> None:
        self._pipe, theirs = FORKS.Pipe()
        self._process = FORKS.Process(target=_race, args=(utc_now(), run, config, theirs))
        self._process.start()
        theirs.close()

    def send(self, order: Any) -> None:
        """Let it do one thing more."""
        self._pipe.send(order)

    def has_answered(self) -> bool:
        return self._pipe.poll()

    def answer(self) -> Any:
        """Wait for what came of the oldest order that was not answered, at first for being ready."""
        if not self._pipe.poll(_LONGEST_S):
            raise AssertionError("no answer")
        return self._pipe.recv()

    def stop(self) -> None:
        """End it, whatever it does."""
        self._process.kill()
        self._process.join()
        self._pipe.close()


@contextmanager
def racers(number: int, run: Run, config: Config) -> Iterator[list[Racer]]:
    """Give so many processes, all imported and connected, until the block ends."""
    started = [Racer(run, config) for _ in range(number)]
    try:
        for racer in started:
            racer.answer()
        yield started
    finally:
        for racer in started:
            racer.stop()


def pay(app: Flask, order: tuple[int, Mapping[str, Any]]) -> int:
    """Pay a payment of the lab surface with a card; the status of the answer."""
    payment_id, card = order
    return app.test_client().post(f"/payments/process/{payment_id}", json=dict(card)).status_code


@dataclass(frozen=True)
class Refunds:
    """So many refunds of one payment, at once; the keys begin with ``name``."""

    name: str
    count: int
    body: Mapping[str, Any]
    headers: Mapping[str, str]


def refund(app: Flask, order: Refunds) -> list[int]:
    """Ask for all refunds from twelve threads; the statuses of the answers."""

    def ask(number: int) -> int:
        headers = {**order.headers, "Idempotency-Key": f"{order.name}-{number}"}
        return app.test_client().post("/v1/refunds", json=dict(order.body), headers=headers).status_code

    with ThreadPoolExecutor(12) as threads:
        return list(threads.map(ask, range(order.count)))


def create_slowly(app: Flask, count: int) -> None:
    """Create so many payments of the lab; each waits a little for its COMMIT, now and then longer."""
    with app.app_context(), _slow_commits():
        for number in range(count):
            body = {"user_id": 1, "order_id": number + 1, "total_amount": 10}
            if app.test_client().post("/payments", json=body).status_code != HTTPStatus.CREATED:
                raise AssertionError("a payment was not created")


def place_for_ever(app: Flask, _order: None) -> None:
    """Give events their positions again and again, slowly, until this process is killed."""
    with app.app_context(), _slow_commits():
        while True:
            give_positions(EVENTS, app.extensions[EXTENSION])


@contextmanager
def _slow_commits() -> Iterator[None]:
    def wait(_connection: object) -> None:
        time.sleep(random.choice((0, 0, 0.005, 0.05)))

    event.listen(db.engine, "commit", wait)
    try:
        yield
    finally:
        event.remove(db.engine, "commit", wait)


def _race(now: datetime, run: Run, config: Config, orders: Connection) -> None:
    app = create_app(config)
    app.test_client().get("/payments/1")
    orders.send("ready")
    with FakeClock(now).running():
        while True:
            orders.send(run(app, orders.recv()))


# A server that has imported everything, is connected to nothing, and forks one process whenever it is asked.
FORKS = get_context("forkserver")
FORKS.set_forkserver_preload(
    ["tests.testkit.payments.process_kills", "tests.testkit.payments.parallel_processes"]
)
