"""Cancelling: at once where nothing was begun, otherwise only once the bank confirmed it."""

import pytest
from payment_service.models.card import SealedCard
from payment_service.models.movement import Capture, PaymentAttempt, Void
from payment_service.providers.port import Outcome, ProviderResult

from tests.testkit.payments.merchant import TestMerchant
from tests.testkit.payments.scripted.bank import CarryOut, FollowUpBehaviour, ScriptedBank
from tests.testkit.payments.scripted.follow_ups import (
    APPROVED,
    DECLINED,
    decline_it,
    do_it_and_vanish,
    lose_it,
    refuse_it,
    take_time,
)
from tests.testkit.payments.scripted.sales import decline, lose_request
from tests.testkit.payments.world import World


@pytest.fixture
def seller(world: World) -> TestMerchant:
    return TestMerchant.of(world)


def failed(seller: TestMerchant) -> str:
    seller.world.bank.script = [decline("lost_card")]
    return seller.pay(seller.create())


def states(seller: TestMerchant, payment_id: str) -> list[str]:
    return [attempt.state for attempt in seller.world.attempts(seller.payment(payment_id).id)]


def test_what_nobody_paid_is_cancelled_at_once(seller: TestMerchant) -> None:
    for payment_id in (seller.create(), failed(seller)):
        answer = seller.cancel(payment_id, reason="the customer left")

        assert (answer.status_code, answer.json["status"]) == (200, "cancelled")
        assert seller.events(payment_id)[-1] == "payment.cancelled"
        assert seller.cancel(payment_id).json["code"] == "wrong_payment_state"
    assert seller.world.bank.voids == []


def test_what_is_held_for_review_is_cancelled_and_its_card_forgotten(seller: TestMerchant) -> None:
    payment_id = seller.reviewed()
    assert len(seller.world.all(SealedCard)) == 1

    answer = seller.cancel(payment_id)

    assert (answer.status_code, answer.json["status"]) == (200, "cancelled")
    assert states(seller, payment_id) == ["not_sent"]
    assert seller.world.all(SealedCard) == []
    assert seller.world.bank.sales == []


def test_a_hold_is_released(seller: TestMerchant) -> None:
    payment_id = seller.held()

    answer = seller.cancel(payment_id, reason="sold out")

    assert (answer.status_code, answer.json["status"]) == (200, "cancelled")
    assert answer.json["amount_capturable"] == 0
    assert seller.world.bank.held_minor == {}
    assert seller.events(payment_id)[-2:] == ["void.requested", "payment.cancelled"]
    assert [(void.purpose, void.reason, void.state) for void in seller.world.all(Void)] == [
        ("cancel", "sold out", "approved")
    ]
    assert seller.entries(payment_id) == []


def test_of_a_part_that_was_captured_the_rest_is_released(seller: TestMerchant) -> None:
    payment_id = seller.held(10000)
    seller.capture(payment_id, amount=4000)

    answer = seller.cancel(payment_id)

    assert (answer.status_code, answer.json["status"]) == (200, "completed")
    assert (answer.json["amount_captured"], answer.json["amount_capturable"]) == (4000, 0)
    assert (seller.world.bank.total_minor, seller.world.bank.held_minor) == (4000, {})
    assert seller.payment(payment_id).paid_at is not None


@pytest.mark.parametrize("behave", [lose_it, take_time])
def test_a_cancellation_is_not_believed_before_the_bank_confirms_it(
    seller: TestMerchant, behave: FollowUpBehaviour
) -> None:
    payment_id = seller.held()
    seller.world.bank.follow_up_script = [behave]

    answer = seller.cancel(payment_id)

    assert (answer.status_code, answer.json["status"]) == (202, "authorized")
    assert seller.cancel(payment_id).json["code"] == "movement_open"


@pytest.mark.parametrize(("behave", "status"), [(lose_it, "authorized"), (do_it_and_vanish, "cancelled")])
def test_the_janitor_finds_out(seller: TestMerchant, behave: FollowUpBehaviour, status: str) -> None:
    payment_id = seller.held()
    seller.world.bank.follow_up_script = [behave]
    seller.cancel(payment_id)
    seller.world.bank.is_away = False

    seller.work()

    assert seller.payment(payment_id).status == status
    if status == "authorized":
        assert seller.cancel(payment_id).json["status"] == "cancelled"
    assert seller.world.bank.held_minor == {}


@pytest.mark.parametrize(
    ("behave", "status_code", "code"),
    [
        (decline_it("issuer_unavailable"), 402, "cancellation_declined"),
        (refuse_it, 502, "cancellation_not_sent"),
    ],
)
def test_a_void_that_was_not_carried_out_changes_nothing(
    seller: TestMerchant, behave: FollowUpBehaviour, status_code: int, code: str
) -> None:
    payment_id = seller.held()
    seller.world.bank.follow_up_script = [behave]

    answer = seller.cancel(payment_id)

    assert (answer.status_code, answer.json["code"]) == (status_code, code)
    assert answer.json["payment"]["status"] == "authorized"
    assert seller.events(payment_id)[-1] == "void.failed"
    assert seller.capture(payment_id).status_code == 200


@pytest.mark.parametrize("behave", [lose_it, take_time])
def test_beside_an_open_capture_nothing_is_cancelled(seller: TestMerchant, behave: FollowUpBehaviour) -> None:
    payment_id = seller.held(10000)
    seller.world.bank.follow_up_script = [behave]
    seller.capture(payment_id, amount=1)

    answer = seller.cancel(payment_id)

    assert (answer.status_code, answer.json["code"]) == (409, "movement_open")
    assert seller.world.bank.voids == []


def test_what_is_being_processed_or_was_paid_is_not_cancelled(seller: TestMerchant) -> None:
    seller.world.bank.script = [lose_request]
    processing = seller.pay(seller.create())
    for payment_id in (processing, seller.taken()):
        answer = seller.cancel(payment_id)

        assert (answer.status_code, answer.json["code"]) == (409, "wrong_payment_state")
        assert answer.json["payment_status"] == seller.payment(payment_id).status


def test_a_hold_that_is_gone_with_every_capture_accounted_for_is_cancelled(seller: TestMerchant) -> None:
    payment_id = seller.held()
    seller.world.bank.follow_up_script = [decline_it("issuer_unavailable"), decline_it("wrong_state")]
    seller.capture(payment_id, amount=1000)

    answer = seller.cancel(payment_id)

    (capture,) = seller.world.all(Capture)
    assert capture.public_id in seller.world.bank.asked
    assert (answer.status_code, answer.json["status"]) == (200, "cancelled")


def test_a_hold_that_is_gone_because_something_was_captured_is_not_cancelled(seller: TestMerchant) -> None:
    payment_id = seller.held()
    seller.world.bank.follow_up_script = [refuse_it, decline_it("wrong_state")]
    seller.capture(payment_id)
    (capture,) = seller.world.all(Capture)
    seller.world.bank.settle(capture.public_id, APPROVED)

    answer = seller.cancel(payment_id)

    assert (answer.status_code, answer.json["decline_code"]) == (402, "wrong_state")
    assert seller.payment(payment_id).status == "authorized"
    assert seller.events(payment_id)[-2:] == ["movement.contradicted", "void.failed"]


def refuse_and_vanish(bank: ScriptedBank, movement_id: str, carry_out: CarryOut) -> ProviderResult:
    bank.is_away = True
    return decline_it("wrong_state")(bank, movement_id, carry_out)


@pytest.mark.parametrize("behave", [decline_it("wrong_state"), refuse_and_vanish])
def test_a_hold_that_is_gone_is_asked_about_until_every_capture_is_known(
    seller: TestMerchant, behave: FollowUpBehaviour
) -> None:
    payment_id = seller.held()
    seller.world.bank.follow_up_script = [refuse_it, behave]
    seller.capture(payment_id)
    (capture,) = seller.world.all(Capture)
    seller.world.bank.settle(capture.public_id, ProviderResult(Outcome.PENDING))

    first = seller.cancel(payment_id)
    seller.world.bank.is_away = False
    seller.world.bank.settle(capture.public_id, DECLINED)
    seller.work()

    assert first.status_code == 202
    assert seller.payment(payment_id).status == "cancelled"


def test_a_challenge_is_abandoned_first(seller: TestMerchant) -> None:
    payment_id = seller.challenged()

    answer = seller.cancel(payment_id)

    assert (answer.status_code, answer.json["status"]) == (200, "cancelled")
    (attempt,) = seller.world.all(PaymentAttempt)
    assert seller.world.bank.abandoned == [attempt.public_id]
    assert attempt.state == "abandoned"
    assert seller.events(payment_id)[-2:] == ["payment.released", "payment.cancelled"]


def test_without_the_banks_word_a_challenge_goes_on(seller: TestMerchant) -> None:
    payment_id = seller.challenged()
    seller.world.bank.is_away = True

    answer = seller.cancel(payment_id, "one")
    seller.world.bank.is_away = False
    again = seller.cancel(payment_id, "one")

    assert (answer.status_code, answer.json["code"]) == (502, "cancellation_not_confirmed")
    assert (again.status_code, again.json["status"]) == (200, "cancelled")


@pytest.mark.parametrize(
    ("says", "is_held", "status_code", "status"),
    [
        (APPROVED, True, 200, "cancelled"),  # held meanwhile: the hold is released
        (APPROVED, False, 409, "completed"),  # paid meanwhile
        (DECLINED, True, 200, "cancelled"),
    ],
)
def test_a_cardholder_who_finished_meanwhile_did_so(
    seller: TestMerchant, says: ProviderResult, is_held: bool, status_code: int, status: str
) -> None:
    payment_id = seller.challenged(is_held=is_held)
    (attempt,) = seller.world.all(PaymentAttempt)
    seller.world.bank.settle(attempt.public_id, says)
    if says is APPROVED and is_held:
        seller.world.bank.held_minor[attempt.public_id] = attempt.amount_minor

    answer = seller.cancel(payment_id)

    assert answer.status_code == status_code
    assert seller.payment(payment_id).status == status
    assert seller.world.bank.held_minor == {}


def test_a_repeat_gets_the_first_answer(seller: TestMerchant) -> None:
    for payment_id in (seller.create(), seller.held(), seller.challenged()):
        first, again = (seller.cancel(payment_id, "one") for _ in range(2))

        assert first.status_code == 200
        assert (again.status_code, again.text) == (200, first.text)
        assert again.headers["Idempotent-Replayed"] == "true"
    assert len(seller.world.bank.voids) == 1
