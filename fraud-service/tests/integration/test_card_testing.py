"""Card testing: many cards that do not pay, from one address or of one BIN, and codes that are guessed."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import count
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from fraud_service.config import Config
from fraud_service.domain.gathering import OPEN_COUNTS
from fraud_service.values.inputs import CardsLimit, VelocityLimit
from werkzeug.test import TestResponse

HERE = "203.0.113.7"
ADDRESS: dict[str, Any] = {"client_ip": HERE}
# A BIN holds at all addresses together, so each of its cards comes from one of its own.
BIN: dict[str, Any] = {"bin": "400030"}
_numbers = count(1)
Try = Callable[..., str]
Tell = Callable[..., None]


@pytest.fixture
def config(config: Config) -> Config:
    """Three cards an hour from an address, four of a BIN, two wrong codes a day with one card."""
    return replace(
        config,
        thresholds=replace(
            config.thresholds,
            cards_ip=CardsLimit(3, 3600),
            cards_bin=CardsLimit(4, 3600),
            wrong_cvv=VelocityLimit(2, 86_400),
        ),
    )


@pytest.fixture
def tell(client: FlaskClient) -> Tell:
    """Bring the news of an attempt."""

    def post(attempt_id: str, kind: str, decline_code: str | None = None) -> None:
        outcome = {
            "event_id": f"evt_{next(_numbers)}",
            "kind": kind,
            "merchant_id": "mer_1",
            "payment_id": "pay_1",
            "attempt_id": attempt_id,
            "card_fingerprint": None,
            "amount_minor": 1999,
            "currency": "MAD",
            "decline_code": decline_code,
            "occurred_at": "2026-11-21T09:05:00.000000+00:00",
        }
        assert client.post("/internal/outcomes", json={"outcomes": [outcome]}).status_code == 202

    return post


@pytest.fixture
def try_card(ask: Callable[..., TestResponse], tell: Tell) -> Try:
    """Try a card, by default one that nobody has tried, for another user; ``told`` is its outcome."""

    def post(card: int | None = None, told: str = "declined", code: str | None = None, **changes: Any) -> str:
        number = next(_numbers)
        attempt_id = f"att_try_{number}"
        answer = ask(
            attempt_id=attempt_id,
            fingerprint=f"{card or number + 1_000_000:064x}",
            **{"user_id": str(number), "bin": f"{number % 900_000 + 100_000}", **changes},
        ).json
        assert answer is not None
        if told and answer["decision"] == "approve":
            tell(attempt_id, told, code)
        return "".join(reason["rule"] for reason in answer["reasons"]) or str(answer["decision"])

    return post


@pytest.mark.parametrize(("scope", "limit", "rule"), [(ADDRESS, 3, "cards_ip"), (BIN, 4, "cards_bin")])
def test_one_card_more_than_the_limit_does_not_reach_the_bank(
    try_card: Try, scope: dict[str, Any], limit: int, rule: str
) -> None:
    assert [try_card(**scope) for _ in range(limit + 2)] == ["approve"] * limit + [rule] * 2


@pytest.mark.parametrize(("scope", "limit", "rule"), [(ADDRESS, 3, "cards_ip"), (BIN, 4, "cards_bin")])
def test_cards_that_are_tried_at_once_count_before_anything_is_told(
    try_card: Try, scope: dict[str, Any], limit: int, rule: str
) -> None:
    assert [try_card(told="", **scope) for _ in range(limit + 1)] == ["approve"] * limit + [rule]


def test_thirty_cards_in_parallel_exceed_the_limit_by_no_more_than_are_in_flight(
    app: Flask, config: Config, make_body: Callable[..., dict[str, Any]]
) -> None:
    in_flight = 4
    bodies = [
        make_body(fingerprint=f"{number:064x}", user_id=str(number), bin=str(100_000 + number), **ADDRESS)
        for number in range(30)
    ]

    def post(body: dict[str, Any]) -> str:
        headers = {"Authorization": f"Bearer {config.service_token}"}
        answer = app.test_client().post("/internal/assessments", json=body, headers=headers).json
        assert answer is not None
        return str(answer["decision"])

    with ThreadPoolExecutor(in_flight) as threads:
        decisions = list(threads.map(post, bodies))

    assert 3 <= decisions.count("approve") <= 3 + in_flight - 1


@pytest.mark.parametrize(("scope", "limit"), [(ADDRESS, 3), (BIN, 4)])
@pytest.mark.parametrize("told", ["captured", "authorized"])
def test_paid_orders_never_count(try_card: Try, scope: dict[str, Any], limit: int, told: str) -> None:
    """Of so many as must not be declined, two are not paid for: fewer than the limit."""
    tried = [try_card(told="declined" if number < 2 else told, **scope) for number in range(3 * limit)]

    assert set(tried) == {"approve"}


@pytest.mark.parametrize(("scope", "limit"), [(ADDRESS, 3), (BIN, 4)])
def test_where_as_many_cards_pay_those_that_do_not_are_part_of_the_trade(
    try_card: Try, scope: dict[str, Any], limit: int
) -> None:
    for _ in range(limit):
        try_card(told="captured", **scope)

    assert {try_card(**scope) for _ in range(3 * limit)} == {"approve"}


@pytest.mark.parametrize(("scope", "limit", "rule"), [(ADDRESS, 3, "cards_ip"), (BIN, 4, "cards_bin")])
def test_what_another_merchant_sees_declines_nobody_here(
    try_card: Try, scope: dict[str, Any], limit: int, rule: str
) -> None:
    elsewhere = [try_card(merchant_id="mer_2", **scope) for _ in range(limit + 1)]

    assert elsewhere[-1] == rule
    assert try_card(**scope) == "approve"


@pytest.mark.parametrize(("scope", "limit", "rule"), [(ADDRESS, 3, "cards_ip"), (BIN, 4, "cards_bin")])
def test_a_card_that_is_tried_again_is_one_card(
    try_card: Try, scope: dict[str, Any], limit: int, rule: str
) -> None:
    for card in range(1, limit + 1):
        try_card(card, **scope)

    assert [try_card(1, **scope) for _ in range(3)] == ["approve"] * 3
    assert try_card(**scope) == rule


@pytest.mark.parametrize(("scope", "limit", "rule"), [(ADDRESS, 3, "cards_ip"), (BIN, 4, "cards_bin")])
def test_the_window_ends(try_card: Try, clock: Any, scope: dict[str, Any], limit: int, rule: str) -> None:
    for _ in range(limit):
        try_card(**scope)
    clock.move(hours=1, microseconds=-1)
    assert try_card(**scope) == rule

    clock.move(microseconds=1)

    assert try_card(**scope) == "approve"


@pytest.mark.parametrize(("scope", "limit"), [(ADDRESS, 3), (BIN, 4)])
def test_while_no_news_comes_payments_are_not_held_to_be_testing(
    try_card: Try, clock: Any, scope: dict[str, Any], limit: int
) -> None:
    for _ in range(limit):
        try_card(told="", **scope)
    clock.move(seconds=OPEN_COUNTS.total_seconds())

    assert try_card(**scope) == "approve"


def test_an_address_that_nobody_vouches_for_is_no_address(try_card: Try) -> None:
    assert {try_card() for _ in range(12)} == {"approve"}


@pytest.mark.parametrize("scope", [ADDRESS, BIN])
def test_what_the_allow_list_lets_through_counts_for_nothing(
    try_card: Try, list_add: Callable[..., None], scope: dict[str, Any]
) -> None:
    list_add("allow", "bin", "999999")

    assert {try_card(**{**scope, "bin": "999999"}) for _ in range(10)} == {"allow_list"}
    assert try_card(**scope) == "approve"


def test_wrong_codes_of_a_card_end_for_the_day(try_card: Try, clock: Any) -> None:
    tries = [try_card(7, code="incorrect_cvc") for _ in range(3)]
    assert tries == ["approve", "approve", "wrong_cvv"]

    clock.move(hours=24, microseconds=-1)
    assert try_card(7, code="incorrect_cvc") == "wrong_cvv"
    assert try_card(8) == "approve"

    clock.move(microseconds=1)
    assert try_card(7) == "approve"


def test_other_reasons_than_the_code_and_paid_orders_are_no_guesses(try_card: Try) -> None:
    tries = [try_card(7, code="insufficient_funds") for _ in range(4)] + [
        try_card(7, told="captured") for _ in range(4)
    ]

    assert set(tries) == {"approve"}


def test_codes_that_were_guessed_at_other_merchants_decline_nobody_by_themselves(try_card: Try) -> None:
    for merchant in ("mer_2", "mer_3"):
        try_card(7, code="incorrect_cvc", merchant_id=merchant)

    assert try_card(7, told="captured") == "approve"
    assert try_card(7, code="incorrect_cvc") == "approve"
    assert try_card(7) == "wrong_cvv"


def test_a_stored_card_that_is_charged_without_its_code_guesses_nothing(try_card: Try) -> None:
    for _ in range(2):
        try_card(7, code="incorrect_cvc")

    assert try_card(7, has_cvv=False) == "approve"


def test_news_may_come_twice_and_in_any_order(
    ask: Callable[..., TestResponse], tell: Tell, try_card: Try
) -> None:
    for number in range(3):
        ask(attempt_id=f"att_paid_{number}", fingerprint=f"{number:064x}", user_id=str(number), **ADDRESS)
        for kind in ("captured", "declined", "captured"):
            tell(f"att_paid_{number}", kind)

    assert try_card(**ADDRESS) == "approve"


def test_news_of_attempts_that_nobody_assessed_is_stored_all_the_same(
    tell: Tell, count_assessments: Callable[[], int]
) -> None:
    tell("att_unknown", "declined", "incorrect_cvc")

    assert count_assessments() == 0
