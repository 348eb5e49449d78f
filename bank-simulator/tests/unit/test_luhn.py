import pytest
from hypothesis import given
from hypothesis import strategies as st
from service_kit import luhn

DIGITS = st.text(alphabet="0123456789", min_size=11, max_size=18)


@pytest.mark.parametrize("number", ["4242424242424242", "5453010000066100", "79927398713"])
def test_published_numbers_are_valid(number: str) -> None:
    assert luhn.is_valid(number)


def test_the_lab_card_is_not_valid() -> None:
    assert not luhn.is_valid("9999999999999")


@given(DIGITS, st.data())
def test_a_wrong_digit_is_always_noticed(digits: str, data: st.DataObject) -> None:
    number = digits + luhn.check_digit(digits)
    position = data.draw(st.integers(0, len(number) - 1))
    other = data.draw(st.sampled_from([digit for digit in "0123456789" if digit != number[position]]))

    assert luhn.is_valid(number)
    assert not luhn.is_valid(number[:position] + other + number[position + 1 :])
