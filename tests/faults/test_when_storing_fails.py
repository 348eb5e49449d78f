"""Storing fails in ways that no retry mends; the customer is told nothing about money that may be untrue."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from flask import Flask, jsonify
from payment_service.app import create_app
from payment_service.commands.upkeep.expire_payments import expire_payments
from payment_service.commands.upkeep.seed_lab import seed_lab
from payment_service.controllers.request import EXTENSION
from payment_service.extensions import db
from payment_service.models.payment import Payment
from payment_service.providers.port import ProviderCharge, ProviderResult
from payment_service.values.statuses import PaymentStatus
from service_kit.clock import utc_now
from service_kit.db import migrations
from sqlalchemy import event, update
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import Session
from werkzeug.serving import make_server

from tests.testkit.payments.cards import CARD
from tests.testkit.payments.config import make_config
from tests.testkit.payments.scripted.bank import ScriptedBank
from tests.testkit.payments.scripted.sales import lose_request
from tests.testkit.payments.world import World, world_on

FORM = {"cardNumber": "9999999999999", "cardCode": "123", "expirationDate": "01/30", "form_key": "f" * 32}
CLAIM, DECIDE, SETTLE = 1, 2, 3
ERROR_DURING_COMMIT, RECORD_CHANGED = 1180, 1020
DISK_FULL, TOO_MANY_CONNECTIONS, TOO_MANY_OF_THIS_USER = 1021, 1040, 1203


@pytest.fixture
def world(database_url: str) -> Iterator[World]:
    config = make_config(database_url)
    migrations.upgrade(database_url, config.migrations_dir)
    with world_on(config) as world:
        yield world


@contextmanager
def refusing(world: World, number: int, *, at_unit: int) -> Iterator[None]:
    """Let the database refuse the ``at_unit``-th unit of work from now, and all after, with that error."""
    units = 0

    def begin(_connection: Connection) -> None:
        nonlocal units
        units += db.session().in_transaction()
        if units >= at_unit:
            world.clock.advance(world.config.limits.processing_s)  # nobody has time for another try
            raise OperationalError("BEGIN", None, Exception(number, "refused"))

    with listening(world, "begin", begin):
        yield


@contextmanager
def listening(world: World, name: str, listener: Callable[[Connection], None]) -> Iterator[None]:
    """Have ``listener`` called at each BEGIN or COMMIT of the service."""
    with world.app.app_context():
        engine = db.engine
    event.listen(engine, name, listener)
    try:
        yield
    finally:
        event.remove(engine, name, listener)


def test_a_charge_that_cannot_be_stored_is_pending_whatever_the_reason(world: World) -> None:
    payment_id = world.create()

    with refusing(world, DISK_FULL, at_unit=SETTLE):
        response = world.pay(payment_id)
    world.outlast_senders()
    world.run_janitor()

    assert (response.status_code, response.json["is_paid"]) == (202, False)
    assert len(world.bank.sales) == 1
    assert world.payment(payment_id).status == PaymentStatus.COMPLETED


def test_an_error_during_the_commit_of_the_claim_is_unknown_and_nobody_is_called(world: World) -> None:
    payment_id = world.create()

    def commit(_connection: Connection) -> None:
        raise OperationalError("COMMIT", None, Exception(ERROR_DURING_COMMIT, "Got error during COMMIT"))

    with listening(world, "commit", commit):
        response = world.pay(payment_id)

    assert response.status_code == 202
    assert (world.fraud.requests, world.bank.sales) == ([], [])


def test_a_unit_whose_rows_changed_under_it_is_repeated(world: World) -> None:
    payment_id = world.create()
    refused: list[Connection] = []

    def begin(connection: Connection) -> None:
        # Every second unit of work is refused once.
        if db.session().in_transaction():
            refused.append(connection)
            if len(refused) % 2:
                raise OperationalError("SELECT", None, Exception(RECORD_CHANGED, "Record has changed"))

    with listening(world, "begin", begin):
        response = world.pay(payment_id)

    assert (response.status_code, len(refused)) == (200, 6)
    assert len(world.bank.sales) == 1


def test_a_provider_that_breaks_in_our_hands_is_pending(world: World) -> None:
    def take_and_break(bank: ScriptedBank, request: ProviderCharge) -> ProviderResult:
        bank.carry_out(request)
        raise RuntimeError("a defect of the adapter")

    payment_id = world.create()
    world.bank.script = [take_and_break]

    response = world.pay(payment_id)
    world.outlast_senders()
    world.run_janitor()

    assert response.status_code == 202
    assert world.payment(payment_id).status == PaymentStatus.COMPLETED


@pytest.mark.parametrize("away_from", [1, 2])
def test_a_form_that_was_charged_before_is_never_told_that_nothing_was(world: World, away_from: int) -> None:
    payment_id = world.create()
    world.bank.script = [lambda bank, request: (bank.carry_out(request), lose_request(bank, request))[1]]
    world.bank.is_away = True
    first = world.client.post(f"/payments/process/{payment_id}", data=FORM)
    world.bank.is_away = False
    world.outlast_senders()

    with world.losing_database(after_units=away_from - 1):
        again = world.client.post(
            f"/payments/process/{payment_id}", data=FORM, headers={"Accept-Language": "en"}
        )

    assert (first.status_code, again.status_code) == (202, 503)
    assert world.bank.total_minor > 0
    assert "charged nothing" not in again.text
    assert "look here whether your payment was received" in again.text


def test_create_finds_the_payment_whose_commit_came_through_late(world: World) -> None:
    before = len(world.all(Payment))
    commits = 0

    def commit(connection: Connection) -> None:
        nonlocal commits
        commits += 1
        if commits == 1:
            raise OperationalError("COMMIT", None, Exception(2013, "Lost connection"))
        if commits == 2:
            # The server had the first commit after all, but only after the second look.
            connection.connection.commit()
            raise IntegrityError("INSERT", None, Exception(1062, "Duplicate entry"))

    with listening(world, "commit", commit):
        payment_id = world.create(59.5)

    assert len(world.all(Payment)) == before + 1
    assert world.payment(payment_id).amount_minor == 5950


@pytest.mark.parametrize("number", [TOO_MANY_CONNECTIONS, TOO_MANY_OF_THIS_USER])
@pytest.mark.parametrize("at_unit", [CLAIM, DECIDE])
def test_a_server_without_a_connection_for_us_is_a_database_that_is_away(
    world: World, number: int, at_unit: int
) -> None:
    payment_id = world.create()

    with refusing(world, number, at_unit=at_unit):
        response = world.pay(payment_id)

    assert (response.status_code, response.json["code"]) == (503, "database_unavailable")
    assert world.bank.sales == []


def test_a_payment_that_cannot_expire_holds_up_no_other(world: World) -> None:
    broken, whole = world.create(), world.create()

    def break_one_and_age_both(session: Session) -> None:
        session.execute(update(Payment).values(expires_at=utc_now() - timedelta(days=1)))
        # Its next event has a number that is taken.
        session.execute(update(Payment).where(Payment.id == broken).values(event_count=0))

    world.change(break_one_and_age_both)
    world.in_other_thread(lambda: expire_payments(world.dependencies))

    assert world.payment(broken).status == PaymentStatus.PENDING
    assert world.payment(whole).status == PaymentStatus.EXPIRED


def test_an_endless_answer_of_fraud_service_is_silence(database_url: str) -> None:
    fraud = Flask("fraud")
    reasons = [{"rule": "r", "detail": "é" * 100} for _ in range(200)]
    fraud.post("/internal/assessments")(lambda: (jsonify(decision="approve", reasons=reasons), 201))
    server = make_server("127.0.0.1", 0, fraud)
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    config = make_config(database_url, fraud_service_url=f"http://127.0.0.1:{server.server_port}")
    migrations.upgrade(database_url, config.migrations_dir)
    bank = ScriptedBank()
    app = create_app(config, provider=bank)
    with app.app_context():
        seed_lab(app.extensions[EXTENSION])
    client = app.test_client()

    created = client.post("/payments", json={"user_id": 1, "order_id": 1, "total_amount": 5000})
    answer = client.post(f"/payments/process/{created.get_json()['payment_id']}", json=dict(CARD))

    assert answer.status_code == 202
    assert answer.get_json()["status"] == "in_review"
    assert bank.sales == []
    with app.app_context():
        db.engine.dispose()
    server.shutdown()
    serving.join()
    server.server_close()
