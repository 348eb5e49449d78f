"""Signed events to the merchant's side: several at a time, and again until it has them."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from bank_simulator.app import create_app
from bank_simulator.config import LAB_WEBHOOK_SECRET
from bank_simulator.controllers.request import EXTENSION
from bank_simulator.extensions import db
from bank_simulator.models import WebhookEvent
from flask import Flask
from service_kit.jobs.queue import JobStatus
from sqlalchemy import select
from standardwebhooks import Webhook, WebhookVerificationError

from tests.testkit.bank import BankClient, served_by_gunicorn, serving, working
from tests.testkit.fake_clock import FakeClock

APPROVED_LATER = "4000200000000065"
REFUNDS_SUCCEED = "4000100000000083"


class MerchantsSide:
    """An HTTP server that notes every delivery and answers with the next of ``statuses``, then 204."""

    def __init__(self) -> None:
        self.deliveries: list[tuple[dict[str, str], bytes]] = []
        self.statuses: list[int] = []
        side = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                side.deliveries.append(({name.lower(): value for name, value in self.headers.items()}, body))
                self.send_response(side.statuses.pop(0) if side.statuses else 204)
                self.end_headers()

            def log_message(self, *_args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/hooks"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def events(self) -> list[dict[str, Any]]:
        """Return every delivery's body, its signature checked."""
        return [Webhook(LAB_WEBHOOK_SECRET).verify(body, headers) for headers, body in self.deliveries]


def until(condition: Callable[[], object]) -> None:
    give_up_at = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < give_up_at
        time.sleep(0.02)


@pytest.fixture
def merchants_side() -> Iterator[MerchantsSide]:
    side = MerchantsSide()
    yield side
    side.close()


@pytest.fixture
def telling_app(own_app: Flask, merchants_side: MerchantsSide) -> Iterator[Flask]:
    config = replace(
        own_app.extensions[EXTENSION].config,
        webhook_url=merchants_side.url,
        # Less than how far off a clock may be for whoever looks at a signature.
        acs_session_s=60.0,
    )
    app = create_app(config)
    yield app
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def telling_bank(telling_app: Flask) -> Iterator[BankClient]:
    with serving(telling_app) as address:
        yield BankClient(address)


def test_late_results_are_told_with_a_signature(
    telling_app: Flask, telling_bank: BankClient, merchants_side: MerchantsSide, clock: FakeClock
) -> None:
    bank = telling_bank
    pending = bank.sell(APPROVED_LATER, 100)
    refund = bank.follow_up("refunds", bank.sell(REFUNDS_SUCCEED, 900), amount_minor=300)
    passed, forgotten = bank.challenged(amount_minor=7), bank.challenged(amount_minor=8)
    bank.answer_challenge(passed, code="123456")
    assert merchants_side.deliveries == []

    clock.advance(telling_app.extensions[EXTENSION].config.acs_session_s)  # the banks decide sooner
    with working(telling_app):
        until(lambda: len(merchants_side.deliveries) == 4)

    told = {(event["type"], *event["data"].values()) for event in merchants_side.events()}
    assert told == {
        ("payment.updated", pending["request_id"], "approved", 100, "MAD"),
        ("refund.updated", refund["request_id"], "approved", 300, "MAD"),
        ("three_ds.finished", passed["request_id"], "approved", 7, "MAD"),
        ("three_ds.finished", forgotten["request_id"], "declined", 8, "MAD"),
    }
    assert len({headers["webhook-id"] for headers, _ in merchants_side.deliveries}) == 4
    assert {headers["content-type"] for headers, _ in merchants_side.deliveries} == {"application/json"}
    assert bank.net_minor() == 100 + 900 - 300 + 7


def test_what_ends_at_once_or_is_abandoned_is_not_told(
    telling_app: Flask, telling_bank: BankClient, merchants_side: MerchantsSide
) -> None:
    telling_bank.sell("4242424242424242", 100)
    telling_bank.sell("4000100000000042", 100)
    telling_bank.abandon(telling_bank.challenged()["request_id"])

    with telling_app.app_context(), db.reading() as session:
        assert session.scalars(select(WebhookEvent)).all() == []
    assert merchants_side.deliveries == []


def test_an_event_is_repeated_until_it_is_confirmed_and_signed_anew(
    telling_app: Flask, telling_bank: BankClient, merchants_side: MerchantsSide, clock: FakeClock
) -> None:
    merchants_side.statuses = [500, 401]
    pending = telling_bank.sell(APPROVED_LATER, 100)
    telling_bank.decide(pending, "declined")

    with working(telling_app):
        for attempts in (1, 2):
            until_it_failed(telling_app, attempts)
            clock.advance(5)  # until it is tried again
        until(lambda: stored_event(telling_app).status == JobStatus.DONE)

    assert [event["data"]["status"] for event in merchants_side.events()] == ["declined"] * 3
    assert len({headers["webhook-id"] for headers, _ in merchants_side.deliveries}) == 1
    assert len({body for _, body in merchants_side.deliveries}) == 1


def test_an_event_waits_while_nobody_listens_and_survives_a_restart(
    own_app: Flask,
    own_bank: BankClient,
    telling_app: Flask,
    merchants_side: MerchantsSide,
    clock: FakeClock,
) -> None:
    deaf = create_app(replace(own_app.extensions[EXTENSION].config, webhook_url="http://127.0.0.1:9/"))
    own_bank.decide(own_bank.sell(APPROVED_LATER, 100), "approved")
    with working(deaf):
        until_it_failed(own_app, attempts=1)
    assert stored_event(own_app).last_error == "merchants-side: NewConnectionError"

    clock.advance(5)
    with working(telling_app):
        until(lambda: merchants_side.deliveries)

    assert [event["type"] for event in merchants_side.events()] == ["payment.updated"]
    with deaf.app_context():
        db.engine.dispose()


def test_a_changed_body_does_not_pass(
    telling_app: Flask, telling_bank: BankClient, merchants_side: MerchantsSide
) -> None:
    telling_bank.decide(telling_bank.sell(APPROVED_LATER, 100), "approved")
    with working(telling_app):
        until(lambda: merchants_side.deliveries)
    headers, body = merchants_side.deliveries[0]
    changed = json.dumps({**json.loads(body), "type": "refund.updated"})

    with pytest.raises(WebhookVerificationError):
        Webhook(LAB_WEBHOOK_SECRET).verify(changed, headers)


def until_it_failed(app: Flask, attempts: int) -> None:
    def has_failed() -> bool:
        event = stored_event(app)
        return event.attempts == attempts and event.lease_id is None

    until(has_failed)


def stored_event(app: Flask) -> WebhookEvent:
    with app.app_context(), db.reading() as session:
        return session.scalars(select(WebhookEvent)).one()


def test_the_web_processes_deliver_and_decide_by_themselves(
    own_app: Flask, merchants_side: MerchantsSide
) -> None:
    settings = {"BANK_WEBHOOK_URL": merchants_side.url, "BANK_DECISION_S": "0.2", "WEB_WORKERS": "2"}
    with served_by_gunicorn(own_app, **settings) as bank:
        pending = bank.sell(APPROVED_LATER, 100)
        until(lambda: merchants_side.deliveries)

    assert [event["data"]["request_id"] for event in merchants_side.events()] == [pending["request_id"]]
    assert stored_event(own_app).status == JobStatus.DONE
