"""A payment takes so many cards that do not pay, and no more: not while fraud-service is silent either."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

import pytest
from payment_service.values.statuses import FraudDecision

from tests.testkit.payments.access import Shop, open_shop
from tests.testkit.payments.cards import CARD
from tests.testkit.payments.scripted.sales import challenge, decline, refuse_connection
from tests.testkit.payments.world import World

LIMIT = 10
AMOUNT = 59.5


def card_numbers() -> Iterator[str]:
    """Yield numbers with a check digit."""
    for number in range(10**9):
        candidates = (f"400010{number:09}{check}" for check in range(10))
        yield next(filter(has_check_digit, candidates))


def has_check_digit(digits: str) -> bool:
    """Say it by itself, not by the product's own function."""
    doubled = [int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits))]
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0


CARDS = [{**CARD, "cardNumber": number} for number in islice(card_numbers(), 30)]


def submit(world: World, payment_id: int, number: object, key: str) -> Any:
    form = {"form_key": key, "cardNumber": str(number), "expirationDate": "01/30", "cardCode": "123"}
    path, headers = f"/payments/process/{payment_id}", {"Accept-Language": "en"}
    return world.client.post(path, data=form, headers=headers)


@pytest.fixture(params=[FraudDecision.APPROVE, None], ids=["assessed", "silent"])
def tried(world: World, request: pytest.FixtureRequest) -> int:
    """A payment for which as many cards as it takes did not pay; fraud-service approves, or is silent."""
    payment_id = world.create(AMOUNT)
    world.bank.script = [decline("do_not_honor")] * LIMIT
    world.fraud.script = [request.param] * 2 * LIMIT
    for card in CARDS[:LIMIT]:
        assert world.pay(payment_id, card).json["decline_code"] == "do_not_honor"
    return payment_id


def test_one_card_more_does_not_reach_the_bank_and_is_told_why(world: World, tried: int) -> None:
    answers = [world.pay(tried, card) for card in CARDS[LIMIT:]]

    assert {(answer.status_code, answer.json["decline_code"]) for answer in answers} == {
        (402, "too_many_cards")
    }
    assert answers[0].json["detail"].startswith("Too many cards have been tried for this payment.")
    assert len(world.bank.sales) == LIMIT
    assert len(world.fraud.requests) == LIMIT
    refused = world.attempts(tried)[-1]
    assert (refused.state, refused.fraud_decision, refused.decline_code) == (
        *("failed", "decline", "too_many_cards"),
    )
    assert "10 different cards did not pay this payment" in (refused.fraud_reasons or "")


def test_the_page_says_so_and_has_no_form_for_another_card(world: World, tried: int) -> None:
    answered = submit(world, tried, CARDS[LIMIT]["cardNumber"], "one-more")
    opened = world.client.get(f"/payments/process/{tried}", headers={"Accept-Language": "en"})

    assert answered.status_code == 402
    for page in (answered, opened):
        assert "Too many cards have been tried for this payment." in page.text
        assert "ask the shop for a new payment link" in page.text
        assert 'name="form_key"' not in page.text
    assert len(world.bank.sales) == LIMIT


def test_a_card_that_was_tried_before_may_pay_and_then_the_payment_is_paid(world: World, tried: int) -> None:
    assert world.pay(tried, CARDS[LIMIT]).status_code == 402

    assert world.pay(tried, CARDS[0]).status_code == 200
    assert world.pay(tried, CARDS[LIMIT]).json["is_paid"] is True


def test_another_payment_is_another_link(world: World, tried: int) -> None:
    assert world.pay(world.create(AMOUNT), CARDS[LIMIT]).status_code == 200


def test_one_card_that_is_tried_often_is_one_card(world: World) -> None:
    payment_id = world.create(AMOUNT)
    world.bank.script = [decline("incorrect_cvc")] * 2 * LIMIT
    for _ in range(2 * LIMIT):
        world.pay(payment_id, CARDS[0])

    assert world.pay(payment_id, CARDS[1]).status_code == 200


def test_what_never_reached_the_bank_counts_for_nothing(world: World) -> None:
    payment_id = world.create(AMOUNT)
    world.bank.script = [refuse_connection] * LIMIT
    for card in CARDS[:LIMIT]:
        assert world.pay(payment_id, card).status_code == 502
    world.fraud.script = [FraudDecision.DECLINE] * LIMIT
    for card in CARDS[LIMIT : 2 * LIMIT]:
        assert world.pay(payment_id, card).json["decline_code"] == "fraudulent"

    assert world.pay(payment_id, CARDS[-1]).status_code == 200


def test_a_challenge_that_is_given_up_has_shown_that_the_card_exists(world: World) -> None:
    payment_id = world.create(AMOUNT)
    world.bank.script = [challenge] * LIMIT
    for number, card in enumerate(CARDS[:LIMIT]):
        assert submit(world, payment_id, card["cardNumber"], f"key-{number}").status_code == 202
        attempt = world.attempts(payment_id)[-1]
        world.client.post(f"/payments/process/{payment_id}", data={"other_card": attempt.public_id})

    assert world.pay(payment_id, CARDS[LIMIT]).json["decline_code"] == "too_many_cards"


@pytest.fixture
def shop(world: World) -> Shop:
    return open_shop(world)


def test_a_merchants_server_is_refused_with_the_reason_in_the_timeline(world: World, shop: Shop) -> None:
    world.bank.script = [decline("do_not_honor")] * LIMIT
    cards = [{"number": card["cardNumber"], "exp_month": 1, "exp_year": 2030, "cvc": "123"} for card in CARDS]
    payment = shop.pay(world, card=cards[0]).json["payment"]
    path = f"/v1/payments/{payment['id']}"
    for card in cards[1:LIMIT]:
        assert shop.post(world, f"{path}/confirm", {"card": card}).status_code == 402

    refused = shop.post(world, f"{path}/confirm", {"card": cards[LIMIT]})

    assert (refused.status_code, refused.json["code"]) == (422, "payment_refused")
    assert refused.json["decline_code"] == "too_many_cards"
    assert len(world.bank.sales) == LIMIT
    timeline = shop.get(world, f"{path}/events").json["data"]
    assert timeline[0]["why"] == "10 different cards did not pay this payment"


def test_fraud_service_is_told_whether_the_payer_gave_a_code(world: World, shop: Shop) -> None:
    world.pay(world.create(AMOUNT))
    stored = shop.post(
        world,
        "/v1/payment-methods",
        {"card": {"number": "4242424242424242", "exp_month": 12, "exp_year": 2031, "cvc": "907"}},
    ).json["id"]
    shop.create(world, confirm=True, payment_method=stored)

    assert [asked.has_cvv for asked in world.fraud.requests] == [True, False]
