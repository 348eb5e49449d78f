from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from service_kit.card_checks import check_digit, has_check_digit, has_expired

DIGITS = st.text(alphabet="0123456789", min_size=11, max_size=18)


@pytest.mark.parametrize("number", ["4242424242424242", "5453010000066100", "79927398713"])
def test_published_numbers_are_valid(number: str) -> None:
    assert has_check_digit(number)


def test_the_lab_card_is_not_valid() -> None:
    assert not has_check_digit("9999999999999")


@given(DIGITS, st.data())
def test_a_wrong_digit_is_always_noticed(digits: str, data: st.DataObject) -> None:
    number = digits + check_digit(digits)
    position = data.draw(st.integers(0, len(number) - 1))
    other = data.draw(st.sampled_from([digit for digit in "0123456789" if digit != number[position]]))

    assert has_check_digit(number)
    assert not has_check_digit(number[:position] + other + number[position + 1 :])


@pytest.mark.parametrize(
    ("month", "year", "now", "expired"),
    [
        (11, 2026, datetime(2026, 11, 30, 23, 59, tzinfo=UTC), False),
        (11, 2026, datetime(2026, 12, 1, 11, 59, tzinfo=UTC), False),
        (11, 2026, datetime(2026, 12, 1, 12, 0, tzinfo=UTC), True),
        (12, 2026, datetime(2027, 1, 1, 11, 59, tzinfo=UTC), False),
        (12, 2025, datetime(2026, 1, 1, 12, 0, tzinfo=UTC), True),
        (1, 2027, datetime(2026, 12, 31, tzinfo=UTC), False),
    ],
)
def test_a_card_is_good_until_its_month_has_ended_everywhere(
    month: int, year: int, now: datetime, expired: bool
) -> None:
    assert has_expired(month, year, now) is expired
