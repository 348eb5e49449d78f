"""What happens between the lines of processing: fences, deadlines, and commits whose outcome is unknown."""

from dataclasses import replace

import pytest
from payment_service.app import http_client
from payment_service.extensions import db
from payment_service.models.payment import Payment
from payment_service.providers.port import Outcome, ProviderCharge, ProviderResult
from payment_service.values.statuses import PaymentStatus
from service_kit.db.database import NetworkCallInTransaction
from service_kit.web.http_client import Dependency

from tests.testkit.payments.cards import CARD
from tests.testkit.payments.scripted.bank import ScriptedBank
from tests.testkit.payments.scripted.sales import approve
from tests.testkit.payments.world import World, world_on

CLAIM, DECIDE, SETTLE = 1, 2, 3


def test_a_thread_whose_attempt_the_janitor_ended_writes_nothing_and_calls_nobody(world: World) -> None:
    payment_id = world.create()

    def end_it() -> None:
        world.in_other_thread(world.outlast_senders)
        assert world.run_janitor() == 1

    world.fraud.meanwhile = end_it

    response = world.pay(payment_id)

    assert response.status_code in {502, 503}
    assert response.json["is_paid"] is False
    assert world.bank.sales == []
    assert world.payment(payment_id).status == PaymentStatus.PENDING
    attempt = world.attempt(payment_id)
    assert (attempt.state, attempt.fraud_decision) == ("not_sent", None)
    assert world.events(payment_id) == ["payment.created", "payment.processing", "payment.released"]


def test_a_thread_whose_payment_was_paid_by_another_attempt_meanwhile_is_told_so(world: World) -> None:
    payment_id = world.create()

    def end_it_and_pay() -> None:
        world.fraud.meanwhile = lambda: None
        world.in_other_thread(world.outlast_senders)
        world.run_janitor()
        assert world.in_other_thread(lambda: world.pay(payment_id)).status_code == 200

    world.fraud.meanwhile = end_it_and_pay

    world.pay(payment_id)

    assert len(world.bank.sales) == 1
    assert world.bank.total_minor == 399998
    assert sorted(attempt.state for attempt in world.attempts(payment_id)) == ["approved", "not_sent"]


def test_a_charge_whose_time_to_send_has_passed_is_never_sent(world: World) -> None:
    late = replace(world.config, limits=replace(world.config.limits, send_within_s=0.0))
    with world_on(late) as world_that_is_late:
        payment_id = world_that_is_late.create()

        response = world_that_is_late.pay(payment_id)

        assert (response.status_code, response.json["code"]) == (502, "charge_not_sent")
        assert world_that_is_late.bank.sales == []
        assert world_that_is_late.attempt(payment_id).state == "not_sent"
        assert world_that_is_late.payment(payment_id).status == PaymentStatus.PENDING


def test_the_janitor_that_abandons_a_slow_charge_and_its_sender_agree(world: World) -> None:
    payment_id = world.create()

    def arrive_too_late(bank: ScriptedBank, request: ProviderCharge) -> ProviderResult:
        world.in_other_thread(world.outlast_senders)
        world.run_janitor()
        return bank.remember(request.attempt_id, ProviderResult(Outcome.APPROVED))  # abandoned meanwhile

    world.bank.script = [arrive_too_late]

    response = world.pay(payment_id)

    assert response.status_code == 502
    assert world.bank.total_minor == 0
    assert world.attempt(payment_id).state == "abandoned"
    assert world.payment(payment_id).status == PaymentStatus.PENDING
    assert world.events(payment_id) == ["payment.created", "payment.processing", "payment.released"]


def test_a_slow_charge_that_the_janitor_completed_is_told_as_paid(world: World) -> None:
    payment_id = world.create()

    def settle_before_the_answer(bank: ScriptedBank, request: ProviderCharge) -> ProviderResult:
        result = bank.carry_out(request)
        world.in_other_thread(lambda: world.age(15))
        world.run_janitor()
        return result

    world.bank.script = [settle_before_the_answer]

    assert world.pay(payment_id).status_code == 200
    assert world.events(payment_id) == ["payment.created", "payment.processing", "payment.completed"]
    assert len(world.messages()) == len(world.told_to_payers()) == 1


@pytest.mark.parametrize("is_stored", [True, False])
@pytest.mark.parametrize(("number", "sales"), [(CLAIM, 0), (DECIDE, 0), (SETTLE, 1)])
def test_nothing_is_called_after_a_commit_of_unknown_outcome(
    world: World, number: int, sales: int, is_stored: bool
) -> None:
    payment_id = world.create()

    with world.losing_commit(number, is_stored=is_stored):
        response = world.pay(payment_id)

    assert response.status_code == 202
    assert response.json["is_paid"] is False
    assert len(world.bank.sales) == sales
    assert len(world.fraud.requests) == (0 if number == CLAIM else 1)
    assert world.bank.asked == []


@pytest.mark.parametrize("is_stored", [True, False])
@pytest.mark.parametrize("number", [CLAIM, DECIDE, SETTLE])
def test_the_janitor_goes_on_after_a_commit_of_unknown_outcome(
    world: World, number: int, is_stored: bool
) -> None:
    payment_id = world.create()
    with world.losing_commit(number, is_stored=is_stored):
        world.pay(payment_id)

    world.outlast_senders()
    world.run_janitor()

    payment = world.payment(payment_id)
    assert payment.status == (PaymentStatus.COMPLETED if number == SETTLE else PaymentStatus.PENDING)
    assert world.bank.total_minor == (399998 if number == SETTLE else 0)
    assert len(world.messages()) == (1 if number == SETTLE else 0)
    assert world.pay(payment_id).status_code == 200
    assert world.bank.total_minor == 399998
    assert len(world.messages()) == len(world.told_to_payers()) == 1


def test_a_database_that_is_away_before_the_claim_is_503_and_nothing_is_called(
    world: World,
) -> None:
    payment_id = world.create()

    with world.losing_database(after_units=0):
        response = world.pay(payment_id)

    assert (response.status_code, response.json["code"]) == (503, "database_unavailable")
    assert int(response.headers["Retry-After"]) > 0
    assert not world.fraud.requests
    assert not world.bank.sales
    assert world.payment(payment_id).status == PaymentStatus.PENDING


def test_a_database_that_is_away_after_fraud_service_answered_is_503_and_nothing_is_charged(
    world: World,
) -> None:
    payment_id = world.create()

    with world.losing_database(after_units=DECIDE - 1):
        response = world.pay(payment_id)
    world.outlast_senders()
    world.run_janitor()

    assert response.status_code == 503
    assert world.bank.sales == []
    assert world.payment(payment_id).status == PaymentStatus.PENDING


def test_a_database_that_is_away_after_the_charge_is_pending_and_the_janitor_completes(
    world: World,
) -> None:
    payment_id = world.create()

    with world.losing_database(after_units=SETTLE - 1):
        response = world.pay(payment_id)
    before = world.payment(payment_id).status
    world.outlast_senders()
    world.run_janitor()

    assert response.status_code == 202
    assert before == PaymentStatus.PROCESSING
    assert world.payment(payment_id).status == PaymentStatus.COMPLETED
    assert world.bank.total_minor == 399998
    assert len(world.bank.sales) == 1


@pytest.mark.parametrize("is_stored", [True, False])
def test_create_repeats_over_an_unknown_commit_and_makes_one_payment(world: World, is_stored: bool) -> None:
    before = len(world.all(Payment))

    with world.losing_commit(1, is_stored=is_stored):
        payment_id = world.create(59.5)

    assert len(world.all(Payment)) == before + 1
    assert world.payment(payment_id).amount_minor == 5950
    assert world.events(payment_id) == ["payment.created"]


def test_create_says_no_when_the_database_is_away(world: World) -> None:
    before = len(world.all(Payment))

    with world.losing_database(after_units=0):
        response = world.client.post("/payments", json={"user_id": 1, "order_id": 1, "total_amount": 5})

    assert (response.status_code, response.json["code"]) == (503, "database_unavailable")
    assert len(world.all(Payment)) == before


def test_no_transaction_is_open_while_anybody_is_called(world: World) -> None:
    open_transactions = []

    def look() -> None:
        open_transactions.append(db.session().in_transaction())

    def look_and_approve(bank: ScriptedBank, request: ProviderCharge) -> ProviderResult:
        look()
        return approve(bank, request)

    world.fraud.meanwhile = look
    world.bank.script = [look_and_approve]

    assert world.pay(world.create(), CARD).status_code == 200
    assert open_transactions == [False, False]


@pytest.mark.parametrize("is_stored", [True, False])
def test_a_paid_payment_is_paid_whatever_became_of_the_commit_of_the_look(
    world: World, is_stored: bool
) -> None:
    payment_id = world.create()
    world.pay(payment_id)

    with world.losing_commit(1, is_stored=is_stored):
        response = world.pay(payment_id)

    assert (response.status_code, response.json["is_paid"]) == (200, True)
    assert len(world.bank.sales) == 1


def test_no_client_of_the_service_calls_out_of_a_unit_of_work(world: World) -> None:
    client = http_client(Dependency("anybody", "http://127.0.0.1:1", 1.0))

    with pytest.raises(NetworkCallInTransaction):
        world.change(lambda _session: client.get("/"))
