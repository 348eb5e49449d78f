"""Captures and refunds whose database is lost on the way: nothing is done twice, nothing is lost."""

from collections.abc import Callable

import pytest
from payment_service.models.movement import Capture
from service_kit.deadlines import Deadline

from tests.testkit.payments.client import Answer
from tests.testkit.payments.merchant import TestMerchant
from tests.testkit.payments.world import World

ASK, SETTLE = 1, 2
Do = Callable[[TestMerchant, str], Answer]


def capture(seller: TestMerchant, payment_id: str) -> Answer:
    return seller.capture(payment_id, "one", amount=4000)


def refund(seller: TestMerchant, payment_id: str) -> Answer:
    return seller.refund(payment_id, "one", amount=4000)


@pytest.fixture
def seller(world: World) -> TestMerchant:
    return TestMerchant.of(world)


def moved_minor(seller: TestMerchant, payment_id: str) -> int:
    payment = seller.payment(payment_id)
    assert (payment.capturing_minor, payment.refunding_minor) == (0, 0)
    return payment.refunded_minor or (payment.captured_minor if payment.capture_method == "manual" else 0)


def requests(world: World) -> int:
    return len(world.bank.captures) + len(world.bank.refunds)


@pytest.mark.parametrize("is_stored", [True, False])
@pytest.mark.parametrize("number", [ASK, SETTLE])
@pytest.mark.parametrize("do", [capture, refund])
def test_a_commit_of_unknown_outcome_promises_nothing_and_the_janitor_goes_on(
    seller: TestMerchant, do: Do, number: int, is_stored: bool
) -> None:
    payment_id = seller.held() if do is capture else seller.taken()
    seller.get(f"/v1/payments/{payment_id}")  # the client is known: no look-up comes between

    with seller.world.losing_commit(number, is_stored=is_stored):
        answer = do(seller, payment_id)

    # Of what was not even written down nothing is left: the same key may be sent again.
    assert answer.status_code == (503 if number == ASK and not is_stored else 202)
    assert requests(seller.world) == (0 if number == ASK else 1)
    seller.work()
    assert moved_minor(seller, payment_id) == (4000 if number == SETTLE else 0)
    if answer.status_code == 503:
        assert do(seller, payment_id).status_code in {200, 201}


@pytest.mark.parametrize("do", [capture, refund])
def test_a_database_that_is_away_at_first_is_503_and_nobody_is_called(seller: TestMerchant, do: Do) -> None:
    payment_id = seller.held() if do is capture else seller.taken()
    seller.get(f"/v1/payments/{payment_id}")

    with seller.world.losing_database(after_units=0):
        answer = do(seller, payment_id)

    assert (answer.status_code, answer.json["code"]) == (503, "database_unavailable")
    assert requests(seller.world) == 0
    assert do(seller, payment_id).status_code in {200, 201}


@pytest.mark.parametrize("do", [capture, refund])
def test_a_database_that_is_away_after_the_call_is_202_and_the_janitor_finishes(
    seller: TestMerchant, do: Do
) -> None:
    payment_id = seller.held() if do is capture else seller.taken()
    seller.get(f"/v1/payments/{payment_id}")

    with seller.world.losing_database(after_units=1):
        answer = do(seller, payment_id)

    assert answer.status_code == 202
    assert requests(seller.world) == 1
    seller.work()
    assert moved_minor(seller, payment_id) == 4000
    assert requests(seller.world) == 1


def test_a_sender_who_comes_too_late_sends_nothing(
    seller: TestMerchant, monkeypatch: pytest.MonkeyPatch
) -> None:
    payment_id = seller.held()
    monkeypatch.setattr(Deadline, "has_passed", True)

    answer = capture(seller, payment_id)

    assert (answer.status_code, answer.json["code"]) == (502, "capture_not_sent")
    assert [capture.last_error for capture in seller.world.all(Capture)] == ["too late to send"]
    assert requests(seller.world) == 0
