"""Velocity: what is counted, and where a window begins and ends."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from fraud_service.config import Config
from fraud_service.values.inputs import VelocityLimit

Decide = Callable[..., str]


@pytest.fixture
def config(config: Config) -> Config:
    """Three attempts a minute with a card, four by a user, five from an address."""
    return replace(
        config,
        thresholds=replace(
            config.thresholds,
            velocity_card=VelocityLimit(3, 60),
            velocity_user=VelocityLimit(4, 60),
            velocity_ip=VelocityLimit(5, 60),
        ),
    )


def fingerprint(number: int) -> str:
    return f"{number:064x}"


def test_the_fourth_attempt_with_one_card_is_declined_whoever_makes_it(decide: Decide) -> None:
    decisions = [decide(user_id=str(user)) for user in range(4)]

    assert decisions == ["approve"] * 3 + ["decline"]


def test_the_fifth_attempt_of_one_user_is_declined_whatever_the_card(decide: Decide) -> None:
    decisions = [decide(fingerprint=fingerprint(card)) for card in range(5)]

    assert decisions == ["approve"] * 4 + ["decline"]


def test_users_of_two_merchants_are_two_users(decide: Decide) -> None:
    decisions = [decide(fingerprint=fingerprint(card), merchant_id=f"mer_{card % 2}") for card in range(8)]

    assert decisions == ["approve"] * 8


def test_what_was_tried_at_another_merchant_declines_nobody(decide: Decide) -> None:
    for _ in range(4):
        decide(client_ip="203.0.113.7")
    for number in range(6):
        decide(fingerprint=fingerprint(number), user_id=str(number), client_ip="203.0.113.7")

    assert decide(merchant_id="mer_2", client_ip="203.0.113.7") == "approve"


def test_users_are_told_apart_byte_for_byte(decide: Decide) -> None:
    for card, user in enumerate(["key", "Key", "kéy", "KEY"] * 4):
        assert decide(fingerprint=fingerprint(card), user_id=user) == "approve"


def test_the_sixth_attempt_from_one_address_is_declined(decide: Decide) -> None:
    decisions = [
        decide(fingerprint=fingerprint(number), user_id=str(number), client_ip="203.0.113.7")
        for number in range(6)
    ]

    assert decisions == ["approve"] * 5 + ["decline"]


def test_addresses_of_one_ipv6_customer_count_together(decide: Decide) -> None:
    decisions = [
        decide(fingerprint=fingerprint(number), user_id=str(number), client_ip=f"2001:db8::{number + 1}")
        for number in range(6)
    ]

    assert decisions[-1] == "decline"


def test_attempts_without_a_trusted_address_are_never_counted_together(decide: Decide) -> None:
    decisions = [decide(fingerprint=fingerprint(number), user_id=str(number)) for number in range(12)]

    assert decisions == ["approve"] * 12


def test_the_window_is_open_at_its_start_and_closed_at_its_end(decide: Decide, clock: Any) -> None:
    decide()
    clock.move(seconds=30)
    decide()
    decide()

    clock.move(seconds=30, microseconds=-1)
    assert decide() == "decline"  # the first lies 59.999999 s back

    clock.move(microseconds=1)
    assert decide() == "approve"  # exactly 60 s back is outside


def test_attempts_at_the_same_moment_come_one_after_the_other(decide: Decide) -> None:
    assert [decide() for _ in range(5)] == ["approve"] * 3 + ["decline"] * 2


def test_what_happened_later_is_not_counted(decide: Decide, clock: Any) -> None:
    clock.move(seconds=10)
    for _ in range(3):
        decide()
    clock.move(seconds=-10)

    assert decide() == "approve"


def test_declined_attempts_do_not_lengthen_the_wait(decide: Decide, clock: Any) -> None:
    for _ in range(3):
        decide()
    for _ in range(20):
        clock.move(seconds=2)
        assert decide() == "decline"
    clock.move(seconds=20)

    assert decide() == "approve"


def test_what_the_allow_list_let_through_is_not_held_against_the_user(
    decide: Decide, list_add: Callable[..., None]
) -> None:
    list_add("allow", "bin", "999999")
    for card in range(20):
        assert decide(bin="999999", fingerprint=fingerprint(card), client_ip="203.0.113.7") == "approve"

    assert decide(fingerprint=fingerprint(99), client_ip="203.0.113.7") == "approve"


def test_attempts_in_review_are_counted(decide: Decide) -> None:
    decisions = [decide(amount_minor=10_000_001) for _ in range(4)]

    assert decisions == ["review"] * 3 + ["decline"]
