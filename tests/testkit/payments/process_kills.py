"""A process that dies at a chosen point of a request, beside a bank that outlives it.

The points are those between which something is written: before and after every COMMIT, and before and after
every call of the bank and of fraud-service. A test counts up from the first point until a process survives,
so no point is forgotten when the code changes.
"""

import os
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from multiprocessing.connection import Client, Connection, Listener
from typing import Any, NoReturn, cast

from flask import Flask
from payment_service.app import create_app, new_dependencies
from payment_service.config import Config
from payment_service.controllers.request import EXTENSION
from payment_service.extensions import db
from payment_service.processing.dependencies import FraudAssessor
from payment_service.providers.port import Capabilities, Provider
from service_kit.clock import utc_now
from sqlalchemy import event
from sqlalchemy.orm import Session

from tests.testkit.fake_clock import FakeClock
from tests.testkit.payments.parallel_processes import FORKS
from tests.testkit.payments.repeatable_request import Post
from tests.testkit.payments.scripted.services import CountingWaker
from tests.testkit.payments.world import World

_AUTHKEY = b"deaths"
_DIED = 86
_LONGEST_S = 120.0


@dataclass(frozen=True)
class Life:
    """The points that a process came past, and the status of its answer; None: it died at the last point."""

    points: list[str]
    status: int | None

    @property
    def survived(self) -> bool:
        """Whether the process answered."""
        return self.status is not None


@contextmanager
def outside(world: World) -> Iterator["Outside"]:
    """Let processes reach the scripted bank and fraud-service of ``world``."""
    server = Outside(world)
    try:
        yield server
    finally:
        server.close()


class Outside:
    """Carries calls of other processes to the scripted world."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._targets: Mapping[str, object] = {"bank": world.bank, "fraud": world.fraud}
        self._listener = Listener(("127.0.0.1", 0), authkey=_AUTHKEY)
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()
        self._idle: list[_Mother] = []

    def close(self) -> None:
        """Stop serving."""
        for mother in self._idle:
            mother.stop()
        Client(self._listener.address, authkey=_AUTHKEY).close()  # a caller without a call: the end
        self._thread.join()
        self._listener.close()

    def send(self, post: Post, *, die_at: int | None = None) -> Life:
        """Send the request in a process that dies at its ``die_at``-th point, if it comes so far."""
        mother = self._idle.pop() if self._idle else _Mother(self._world.config, self._listener.address)
        try:
            life = mother.bear(post, die_at)
        except BaseException:
            mother.stop()
            raise
        self._idle.append(mother)
        self._world.clock.advance(1)  # whatever the process did lies before
        return life

    def _serve(self) -> None:
        # One caller after the other: each process has one connection, and dies or ends before the next.
        while True:
            with self._listener.accept() as caller:
                try:
                    target, name, args = caller.recv()
                except EOFError:
                    return
                try:
                    caller.send((True, getattr(self._targets[target], name)(*args)))
                except Exception as exc:  # noqa: BLE001  raised again in the process that called
                    caller.send((False, exc))


class _Mother:
    """A process with an application from which one process after the other is forked to answer a request."""

    def __init__(self, config: Config, address: Any) -> None:
        self._pipe, theirs = FORKS.Pipe()
        self._process = FORKS.Process(target=_bear, args=(config, address, theirs))
        self._process.start()
        theirs.close()

    def bear(self, post: Post, die_at: int | None) -> Life:
        """Let a process send the request and, if it comes so far, die at that point."""
        self._pipe.send((utc_now(), post, die_at))
        points: list[str] = []
        status: int | None = None
        while self._pipe.poll(_LONGEST_S):
            told = self._pipe.recv()
            if isinstance(told, _Ended):
                if told.code != (0 if status is not None else _DIED):
                    raise AssertionError(f"the process ended with {told.code} after {points}")
                return Life(points, status)
            if isinstance(told, int):
                status = told
            else:
                points.append(told)
        raise AssertionError(f"the process does not end after {points}")

    def stop(self) -> None:
        """End it."""
        self._pipe.close()
        self._process.join(_LONGEST_S)
        self._process.kill()


@dataclass(frozen=True)
class _Ended:
    """With this code a process ended that a mother forked."""

    code: int


class _Far:
    """Stands for an object of the test's process; every call is a point before it and one after it."""

    name = "bank-simulator"
    capabilities = Capabilities(can_abandon=True)

    def __init__(self, address: Any, target: str, reach: Callable[[str], None]) -> None:
        self._address, self._target, self._reach = address, target, reach

    def __getattr__(self, name: str) -> Callable[..., Any]:
        return partial(self._call, name)

    def _call(self, name: str, *args: Any) -> Any:
        self._reach(f"before {self._target}.{name}")
        with Client(self._address, authkey=_AUTHKEY) as server:
            server.send((self._target, name, args))
            is_good, result = server.recv()
        self._reach(f"after {self._target}.{name}")
        if not is_good:
            raise result
        return result


def _bear(config: Config, address: Any, test: Connection) -> None:
    """Fork a process for each request of the test; this one has an application, connected to nothing."""
    app = create_app(config)
    app.test_client().get("/payments/1")  # whatever is done once only is done here
    with app.app_context():
        engine = db.engine
    engine.dispose()
    while True:
        try:
            now, post, die_at = test.recv()
        except EOFError:
            return
        child = os.fork()
        if not child:
            _live(app, config, address, now, post, die_at, test)
        _, ended = os.waitpid(child, 0)
        test.send(_Ended(os.waitstatus_to_exitcode(ended)))


def _live(
    app: Flask, config: Config, address: Any, now: datetime, post: Post, die_at: int | None, test: Connection
) -> NoReturn:
    """Send one request, tell the test every point, and die at the one that was chosen."""
    count = 0

    def reach(point: str) -> None:
        nonlocal count
        count += 1
        test.send(point)
        if count == die_at:
            os._exit(_DIED)

    try:
        app.extensions[EXTENSION] = new_dependencies(
            config,
            provider=cast(Provider, _Far(address, "bank", reach)),
            fraud=cast(FraudAssessor, _Far(address, "fraud", reach)),
            waker=CountingWaker(),
        )
        with app.app_context():
            engine = db.engine
        event.listen(engine, "commit", lambda _connection: reach("before COMMIT"))
        event.listen(Session, "after_commit", lambda _session: reach("after COMMIT"))
        with FakeClock(now).running():
            answer = app.test_client().post(post.path, json=post.json, headers=dict(post.headers))
        test.send(answer.status_code)
        os._exit(0)
    except BaseException:  # noqa: BLE001  nothing of the process that it was forked from is its to go on with
        traceback.print_exc()
    os._exit(1)
