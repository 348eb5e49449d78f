"""Capturing: never more than is held, whatever is under way and whatever became of it."""

from typing import Any

import pytest
from payment_service.models.movement import Capture
from payment_service.models.payment import Payment
from payment_service.providers.port import ProviderResult
from sqlalchemy import update

from tests.testkit.payments.access import open_shop
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
from tests.testkit.payments.world import World


@pytest.fixture
def seller(world: World) -> TestMerchant:
    return TestMerchant.of(world)


def test_without_a_body_everything_is_captured(seller: TestMerchant) -> None:
    payment_id = seller.held(10000)

    answer = seller.capture(payment_id)

    assert answer.status_code == 200
    assert (answer.json["id"], answer.json["status"]) == (payment_id, "completed")
    assert (answer.json["amount_captured"], answer.json["amount_capturable"]) == (10000, 0)
    assert seller.payment(payment_id).paid_at is not None
    assert seller.sums(payment_id) == (10000, 0, 0, 0)
    assert seller.world.bank.total_minor == 10000
    assert seller.events(payment_id)[-2:] == ["capture.requested", "payment.completed"]
    assert [entry.amount_minor for entry in seller.entries(payment_id)] == [10000, -10000]


def test_parts_until_nothing_is_left(seller: TestMerchant) -> None:
    payment_id = seller.held(10000)

    answers = [seller.capture(payment_id, amount=amount) for amount in (1000, 2000, 7000)]

    assert [answer.status_code for answer in answers] == [200, 200, 200]
    statuses = [answer.json["status"] for answer in answers]
    assert statuses == ["partially_captured", "partially_captured", "completed"]
    assert [answer.json["amount_capturable"] for answer in answers] == [9000, 7000, 0]
    assert seller.world.bank.total_minor == 10000


def test_a_final_part_releases_the_rest(seller: TestMerchant) -> None:
    payment_id = seller.held(10000)

    answer = seller.capture(payment_id, amount=3000, final=True)

    assert (answer.json["status"], answer.json["amount_capturable"]) == ("completed", 0)
    assert (seller.world.bank.total_minor, seller.world.bank.held_minor) == (3000, {})
    assert seller.capture(payment_id, amount=1).status_code == 409


@pytest.mark.parametrize("amount", [10001, 9_999_999])
def test_never_more_than_is_held(seller: TestMerchant, amount: int) -> None:
    payment_id = seller.held(10000)

    answer = seller.capture(payment_id, amount=amount)

    assert (answer.status_code, answer.json["code"]) == (422, "amount_too_large")
    assert answer.json["largest_amount"] == 10000
    assert seller.world.bank.captures == []
    assert seller.world.all(Capture) == []


@pytest.mark.parametrize("behave", [lose_it, take_time, do_it_and_vanish])
def test_an_open_capture_counts_as_taken(seller: TestMerchant, behave: FollowUpBehaviour) -> None:
    payment_id = seller.held(10000)
    seller.world.bank.follow_up_script = [behave]

    unknown = seller.capture(payment_id, amount=6000)
    seller.world.bank.is_away = False
    too_much = seller.capture(payment_id, amount=4001)
    what_is_left = seller.capture(payment_id, amount=4000)

    assert (unknown.status_code, unknown.json["amount_capturable"]) == (202, 4000)
    assert int(unknown.headers["Retry-After"]) > 0
    assert (too_much.status_code, too_much.json["largest_amount"]) == (422, 4000)
    assert (what_is_left.status_code, what_is_left.json["status"]) == (200, "partially_captured")
    assert seller.sums(payment_id) == (4000, 6000, 0, 0)


def test_a_capture_while_another_is_under_way_counts_it(seller: TestMerchant) -> None:
    payment_id = seller.held(10000)
    answers: list[int] = []

    def capture_beside(_bank: ScriptedBank, _movement_id: str, carry_out: CarryOut) -> ProviderResult:
        answers.append(
            seller.world.in_other_thread(lambda: seller.capture(payment_id, amount=4001)).status_code
        )
        answers.append(
            seller.world.in_other_thread(lambda: seller.capture(payment_id, amount=4000)).status_code
        )
        return carry_out()

    seller.world.bank.follow_up_script = [capture_beside]

    assert seller.capture(payment_id, amount=6000).json["status"] == "completed"
    assert answers == [422, 200]
    assert seller.world.bank.total_minor == 10000


@pytest.mark.parametrize("body", [{}, {"amount": 100, "final": True}])
def test_a_final_capture_waits_until_no_other_is_open(seller: TestMerchant, body: dict[str, Any]) -> None:
    payment_id = seller.held(10000)
    seller.world.bank.follow_up_script = [lose_it]
    seller.capture(payment_id, amount=1000)

    early = seller.capture(payment_id, **body)
    seller.work()
    late = seller.capture(payment_id, **body)

    assert (early.status_code, early.json["code"]) == (409, "movement_open")
    assert int(early.headers["Retry-After"]) > 0
    assert (late.status_code, late.json["status"]) == (200, "completed")


def test_nothing_is_captured_beside_an_open_final_capture(seller: TestMerchant) -> None:
    payment_id = seller.held(10000)
    seller.world.bank.follow_up_script = [lose_it]
    seller.capture(payment_id, amount=1000, final=True)

    assert seller.capture(payment_id, amount=1).json["code"] == "movement_open"


def test_while_a_void_is_open_nothing_is_captured(seller: TestMerchant) -> None:
    payment_id = seller.held(10000)
    seller.world.bank.follow_up_script = [lose_it]
    seller.cancel(payment_id)

    assert seller.capture(payment_id).json["code"] == "movement_open"
    assert seller.world.bank.captures == []


def test_a_declined_capture_takes_nothing_and_may_be_tried_again(seller: TestMerchant) -> None:
    payment_id = seller.held(10000)
    seller.world.bank.follow_up_script = [decline_it("issuer_unavailable")]

    declined = seller.capture(payment_id, amount=1000)
    again = seller.capture(payment_id, amount=10000)

    assert (declined.status_code, declined.content_type) == (402, "application/problem+json")
    assert (declined.json["code"], declined.json["decline_code"]) == (
        "capture_declined",
        "issuer_unavailable",
    )
    assert declined.json["payment"]["amount_capturable"] == 10000
    assert again.json["status"] == "completed"
    assert seller.events(payment_id).count("capture.failed") == 1


def test_a_capture_that_was_surely_not_sent_takes_nothing(seller: TestMerchant) -> None:
    payment_id = seller.held(10000)
    seller.world.bank.follow_up_script = [refuse_it]

    answer = seller.capture(payment_id)

    assert (answer.status_code, answer.json["code"]) == (502, "capture_not_sent")
    assert answer.json["payment"]["amount_capturable"] == 10000
    assert [capture.state for capture in seller.world.all(Capture)] == ["not_sent"]


def test_an_answer_that_was_lost_is_asked_for_at_once(seller: TestMerchant) -> None:
    payment_id = seller.held(10000)

    def lose_the_answer(_bank: ScriptedBank, _movement_id: str, carry_out: CarryOut) -> ProviderResult:
        carry_out()
        return lose_it(_bank, _movement_id, carry_out)

    seller.world.bank.follow_up_script = [lose_the_answer]

    assert seller.capture(payment_id).status_code == 200


@pytest.mark.parametrize(("behave", "captured"), [(lose_it, 0), (do_it_and_vanish, 6000)])
def test_the_janitor_finds_out(seller: TestMerchant, behave: FollowUpBehaviour, captured: int) -> None:
    payment_id = seller.held(10000)
    seller.world.bank.follow_up_script = [behave]
    seller.capture(payment_id, amount=6000)
    seller.world.bank.is_away = False

    seller.work()

    assert seller.sums(payment_id) == (captured, 0, 0, 0)
    assert seller.world.bank.total_minor == captured
    (capture,) = seller.world.all(Capture)
    assert capture.state == ("approved" if captured else "abandoned")
    assert seller.events(payment_id)[-1] == ("payment.captured" if captured else "capture.failed")


@pytest.mark.parametrize(("says", "captured"), [(APPROVED, 6000), (DECLINED, 0)])
def test_a_pending_capture_is_settled_when_the_bank_decides(
    seller: TestMerchant, says: ProviderResult, captured: int
) -> None:
    payment_id = seller.held(10000)
    seller.world.bank.follow_up_script = [take_time]
    seller.capture(payment_id, amount=6000)
    seller.work()
    assert seller.sums(payment_id) == (0, 6000, 0, 0)

    (capture,) = seller.world.all(Capture)
    seller.world.bank.settle(capture.public_id, says)
    seller.world.age(4000)
    seller.work()

    assert seller.sums(payment_id) == (captured, 0, 0, 0)


def test_a_payment_that_holds_nothing_cannot_be_captured(seller: TestMerchant) -> None:
    for payment_id in (seller.create(), seller.taken(), seller.create(is_held=False)):
        answer = seller.capture(payment_id, amount=1)

        assert (answer.status_code, answer.json["code"]) == (409, "wrong_payment_state")
        assert answer.json["payment_status"] == seller.payment(payment_id).status


@pytest.mark.parametrize("body", [{"amount": 0}, {"amount": -1}, {"amount": "1"}, {"amount": 1.5}, {"x": 1}])
def test_nonsense_is_refused(seller: TestMerchant, body: dict[str, Any]) -> None:
    assert seller.capture(seller.held(), **body).status_code in {400, 422}
    assert seller.world.bank.captures == []


def test_a_repeat_gets_the_first_answer_and_captures_nothing(seller: TestMerchant) -> None:
    payment_id = seller.held(10000)

    first, again = (seller.capture(payment_id, "one", amount=4000) for _ in range(2))
    other = seller.capture(payment_id, "one", amount=5000)

    assert (again.status_code, again.text) == (first.status_code, first.text)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert other.status_code == 422
    assert seller.sums(payment_id)[0] == 4000
    assert len(seller.world.bank.captures) == 1


@pytest.mark.parametrize("behave", [decline_it("lost_card"), refuse_it, lose_it])
def test_bad_news_is_repeated_too(seller: TestMerchant, behave: FollowUpBehaviour) -> None:
    payment_id = seller.held(10000)
    seller.world.bank.follow_up_script = [behave]

    first, again = (seller.capture(payment_id, "one") for _ in range(2))

    assert (again.status_code, again.text) == (first.status_code, first.text)
    assert len(seller.world.bank.captures) == 1


def test_a_refusal_is_not_stored(seller: TestMerchant) -> None:
    payment_id = seller.create()
    assert seller.capture(payment_id, "one").status_code == 409
    seller.pay(payment_id)

    assert seller.capture(payment_id, "one").status_code == 200


def test_another_merchant_finds_nothing(seller: TestMerchant) -> None:
    payment_id = seller.held()
    stranger = TestMerchant(seller.world, open_shop(seller.world, "Stranger"))

    assert stranger.capture(payment_id).status_code == 404
    assert seller.world.bank.captures == []


@pytest.mark.parametrize("ends_by", ["capture", "cancel"])
def test_the_receipt_is_for_what_was_captured(seller: TestMerchant, ends_by: str) -> None:
    payment_id = seller.held(10000)
    seller.world.change(
        lambda session: session.execute(update(Payment).values(receipt_email="payer@example.org"))
    )

    seller.capture(payment_id, amount=4000, final=ends_by == "capture")
    if ends_by == "cancel":
        seller.cancel(payment_id)

    (receipt,) = seller.world.told_to_payers()
    assert (receipt["type"], receipt["amount_minor"]) == ("payment_receipt", 4000)
