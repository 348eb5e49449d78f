import copy
import json
import pickle
from collections.abc import Callable
from dataclasses import asdict
from decimal import Decimal
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from payment_service.app import SECRET_FIELDS
from payment_service.domain.payments.transitions import PAYABLE, TRANSITIONS, change_status
from payment_service.errors import IllegalTransition
from payment_service.models.payment import Payment
from payment_service.providers.port import ProviderCharge
from payment_service.values.cards import CardData, is_card_number
from payment_service.values.money import Money
from payment_service.values.statuses import MovementState, PaymentStatus
from service_kit.process.logs import redactor
from service_kit.web import strict_json

S = PaymentStatus


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [
        ("3999.98", "MAD", 399998),
        ("2.875", "MAD", 288),
        ("2.865", "MAD", 287),
        ("2.8649999999", "MAD", 286),
        ("0.005", "MAD", 1),
        ("0.0049", "MAD", 0),
        ("21999.890000000003", "MAD", 2199989),
        ("8397.970000000001", "MAD", 839797),
        ("1.9147500000000002", "MAD", 191),
        ("9999999999.99", "MAD", 999999999999),
        ("575.0", "MAD", 57500),
        ("100.5", "JPY", 101),
        ("100", "JPY", 100),
        ("1.2345", "TND", 1235),
        ("1.2344", "TND", 1234),
        ("1E+2", "EUR", 10000),
    ],
)
def test_amounts_are_rounded_half_up_to_the_currencys_decimals(
    amount: str, currency: str, minor: int
) -> None:
    assert Money.from_decimal(Decimal(amount), currency) == Money(minor, currency)


@pytest.mark.parametrize(
    ("money", "text"),
    [
        (Money(5950, "MAD"), "59.50"),
        (Money(7, "JPY"), "7"),
        (Money(1234, "TND"), "1.234"),
        (Money(1, "MAD"), "0.01"),
    ],
)
def test_amounts_are_shown_with_the_currencys_decimals(money: Money, text: str) -> None:
    assert str(money.to_decimal()) == text


@given(minor=st.integers(1, 10**12), currency=st.sampled_from(["MAD", "JPY", "TND"]))
def test_an_amount_survives_the_way_out_and_in(minor: int, currency: str) -> None:
    money = Money(minor, currency)

    assert Money.from_decimal(money.to_decimal(), currency) == money


@pytest.mark.parametrize(
    "digits", ["4242424242424242", "5555555555554444", "378282246310005", "6304000000000000"]
)
def test_a_number_with_a_luhn_digit_is_a_card(digits: str) -> None:
    assert is_card_number(digits, without_luhn=frozenset())


@pytest.mark.parametrize(
    "digits",
    [
        "4242424242424241",
        "9999999999999",
        "0" * 11,
        "0" * 20,
        "",
        "4242 4242 4242 4242",
        "\u0664" * 16,
        "4242a",
    ],
)
def test_anything_else_is_not(digits: str) -> None:
    assert not is_card_number(digits, without_luhn=frozenset())


def test_the_lab_card_needs_no_luhn_digit_where_a_setting_says_so() -> None:
    assert is_card_number("9999999999999", without_luhn=frozenset({"9999999999999"}))
    assert not is_card_number("9999999999998", without_luhn=frozenset({"9999999999999"}))


@given(digits=st.text(alphabet="0123456789", min_size=12, max_size=19), position=st.integers(0, 18))
def test_one_wrong_digit_is_always_noticed(digits: str, position: int) -> None:
    if not is_card_number(digits, without_luhn=frozenset()) or position >= len(digits):
        return
    other = str((int(digits[position]) + 1) % 10)

    wrong = digits[:position] + other + digits[position + 1 :]

    assert not is_card_number(wrong, without_luhn=frozenset())


PAN, CVV = "4111111111111111", "907"


def test_a_card_never_prints_itself() -> None:
    card = CardData(PAN, 1, 2030, CVV)
    texts = [repr(card), str(card), f"{card}", f"{card!r}", repr([card]), repr({"card": card})]

    for text in texts:
        assert PAN not in text
        assert CVV not in text


def test_a_request_with_a_card_does_not_print_it_either() -> None:
    request = ProviderCharge("att_1", Money(100, "MAD"), CardData(PAN, 1, 2030, CVV), "1", "1")

    assert PAN not in repr(request)
    assert CVV not in repr(request)


@pytest.mark.parametrize(
    "show", [pickle.dumps, copy.copy, copy.deepcopy, json.dumps, strict_json.dumps, vars, asdict]
)
def test_a_card_refuses_to_be_pickled_copied_or_written(show: Callable[[Any], Any]) -> None:
    with pytest.raises(TypeError):
        show(CardData(PAN, 1, 2030, CVV))


def test_a_card_that_gets_into_a_log_line_is_taken_out() -> None:
    card = CardData(PAN, 1, 2030, CVV)

    line = redactor(SECRET_FIELDS)(None, "info", {"event": f"card {PAN}", "card": card, "cvv": card.cvv})

    assert PAN not in str(line)
    assert CVV not in str(line)


def test_a_card_is_known_again_by_its_keyed_fingerprint() -> None:
    card = CardData(PAN, 1, 2030, CVV)
    same = CardData(PAN, 2, 2031, "111")

    assert card.fingerprint(b"key") == same.fingerprint(b"key")
    assert card.fingerprint(b"key") != card.fingerprint(b"other key")
    assert card.fingerprint(b"key") != CardData("4242424242424242", 1, 2030, CVV).fingerprint(b"key")
    assert len(card.fingerprint(b"key")) == 64
    assert (card.bin, card.last4) == ("411111", "1111")


# The design's words, not the code's: state → the states it may lead to.
SPECIFIED = """
pending → processing cancelled expired
processing → pending failed in_review requires_action authorized completed
requires_action → processing failed cancelled expired
in_review → processing cancelled expired
failed → processing cancelled expired
authorized → partially_captured completed cancelled expired
partially_captured → partially_captured completed
"""
ALLOWED = {
    (S(line.split(" → ")[0]), S(target))
    for line in SPECIFIED.strip().splitlines()
    for target in line.split(" → ")[1].split()
}


@pytest.mark.parametrize(("current", "target"), list(product(S, S)))
def test_a_payment_changes_only_as_the_specification_says(current: S, target: S) -> None:
    payment = Payment(status=current)

    if (current, target) in ALLOWED:
        change_status(payment, target)
        assert payment.status == target
    else:
        with pytest.raises(IllegalTransition):
            change_status(payment, target)
        assert payment.status == current


def test_every_state_has_its_row_and_the_payable_ones_lead_to_processing() -> None:
    assert set(TRANSITIONS) == set(S)
    assert all(S.PROCESSING in TRANSITIONS[state] for state in PAYABLE)


def test_an_attempt_is_open_until_its_outcome_is_known() -> None:
    assert {state for state in MovementState if state.is_open} == {
        MovementState.ASSESSING,
        MovementState.HELD,
        MovementState.SENDING,
        MovementState.REQUIRES_ACTION,
        MovementState.UNKNOWN,
    }
