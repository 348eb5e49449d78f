"""What the real bank-simulator signs and sends is verified, stored and settled by the payment-service."""

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import bank_simulator.app
import payment_service.app
import pytest
from bank_simulator.commands.issue_cards import issue_cards
from bank_simulator.config import Config as BankConfig
from bank_simulator.extensions import db as bank_db
from bank_simulator.models import NetworkRequest
from bank_simulator.values.issued_cards import TEST_CARDS
from flask import Flask
from payment_service.commands.access.rotate_signing_keys import ensure_signing_key
from payment_service.commands.upkeep.seed_lab import seed_lab
from payment_service.models.dispute import Dispute
from payment_service.models.movement import Refund
from service_kit.clock import utc_now
from service_kit.db import migrations
from sqlalchemy import update
from werkzeug.serving import make_server

from tests.testkit.bank import BankClient, serving, working
from tests.testkit.gateway.process import free_port
from tests.testkit.payments.access import bearer, new_client
from tests.testkit.payments.config import make_config
from tests.testkit.payments.scripted.services import CountingWaker, ScriptedFraud
from tests.testkit.payments.webhooks import outcomes, settle_inbox
from tests.testkit.payments.world import World

AMOUNT = 39_950


@dataclass
class Market:
    """A payment-service and the bank at which it takes money, each on a socket of its own."""

    world: World
    bank: BankClient
    bank_app: Flask
    heard: int = 0

    def pay(self, card: str) -> int:
        """Pay with a card of the bank, and return the payment's id."""
        payment_id = self.world.create(AMOUNT / 100)
        body = {"cardNumber": card, "cardCode": "123", "expirationDate": "2030-01"}
        assert self.world.pay(payment_id, body).status_code in {200, 202}
        return payment_id

    def settle_next(self, count: int = 1) -> None:
        """Let the bank decide what it has put off, wait for its next events, and settle them."""
        self.heard += count
        decided = update(NetworkRequest).where(NetworkRequest.due_at.is_not(None)).values(due_at=utc_now())
        with self.bank_app.app_context():
            bank_db.in_transaction(lambda session: session.execute(decided))
        give_up_at = time.monotonic() + 120
        while len(outcomes(self.world)) < self.heard:
            assert time.monotonic() < give_up_at, "the bank's event did not come"
            time.sleep(0.05)
        settle_inbox(self.world)


@pytest.fixture
def market(database_url: str, tmp_path: Path) -> Iterator[Market]:
    port = free_port()
    bank_config = replace(
        BankConfig.from_env(),
        database_url=f"sqlite:///{tmp_path}/bank.db",
        decision_s=3600.0,
        webhook_url=f"http://127.0.0.1:{port}/provider-webhooks/bank-simulator",
    )
    migrations.upgrade(bank_config.database_url, bank_config.migrations_dir)
    bank_app = bank_simulator.app.create_app(bank_config)
    with bank_app.app_context():
        issue_cards(TEST_CARDS, bank_config.card_key)
    with ExitStack() as stack:
        address = stack.enter_context(serving(bank_app))
        config = make_config(database_url, bank_url=address)
        migrations.upgrade(database_url, config.migrations_dir)
        app = payment_service.app.create_app(config, fraud=ScriptedFraud(), waker=CountingWaker())
        world = World(app, config)
        with app.app_context():
            seed_lab(world.dependencies)
            ensure_signing_key(world.dependencies)
        server = make_server("127.0.0.1", port, app, threaded=True)
        stack.callback(server.server_close)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        stack.callback(thread.join)
        stack.callback(server.shutdown)
        stack.enter_context(working(bank_app))
        yield Market(world, BankClient(address), bank_app)


def test_a_late_result_of_the_bank_completes_the_payment(market: Market) -> None:
    payment_id = market.pay("4000200000000065")
    assert market.world.payment(payment_id).status == "processing"

    market.settle_next()

    assert market.world.payment(payment_id).status == "completed"
    assert list(outcomes(market.world).values()) == ["applied"]


def test_a_late_refusal_of_the_bank_fails_it(market: Market) -> None:
    payment_id = market.pay("4000200000000073")

    market.settle_next()

    assert market.world.payment(payment_id).status == "failed"


@pytest.mark.parametrize(
    ("card", "refund_state", "refunded_minor"),
    [("4000100000000083", "approved", AMOUNT), ("4000100000000091", "declined", 0)],
)
def test_the_late_end_of_a_refund_is_heard(
    market: Market, card: str, refund_state: str, refunded_minor: int
) -> None:
    world = market.world
    payment_id = market.pay(card)
    headers = {**bearer(world, new_client(world, "mer_lab")), "Idempotency-Key": "refund"}
    body = {"payment": world.payment(payment_id).public_id}
    assert world.client.post("/v1/refunds", json=body, headers=headers).status_code == 202

    market.settle_next()

    (refund,) = world.all(Refund)
    assert refund.state == refund_state
    assert world.payment(payment_id).refunded_minor == refunded_minor


@pytest.mark.parametrize("end", ["won", "lost"])
def test_a_dispute_is_opened_and_ends(market: Market, end: str) -> None:
    world = market.world
    payment_id = market.pay("4242424242424242")
    attempt = world.attempt(payment_id)
    opened = market.bank.request(
        "POST", "/admin/disputes", json={"original_request_id": attempt.public_id, "reason": "fraudulent"}
    )
    assert opened.status_code == 201, opened.text
    market.settle_next()
    assert world.payment(payment_id).disputed_minor == AMOUNT

    ended = market.bank.request("POST", f"/admin/disputes/{opened.json()['dispute_id']}/{end}")
    assert ended.status_code == 200, ended.text
    market.settle_next()

    (dispute,) = world.all(Dispute)
    assert (dispute.status, dispute.amount_minor, dispute.reason) == (end, AMOUNT, "fraudulent")
    assert world.payment(payment_id).disputed_minor == 0
    assert world.payment(payment_id).charged_back_minor == (AMOUNT if end == "lost" else 0)
    assert set(outcomes(world).values()) == {"applied"}
