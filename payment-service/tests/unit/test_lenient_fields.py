"""As lenient as the lab's clients need, and no more."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError
from payment_service.schemas.lab import LARGEST_AMOUNT, LARGEST_ID, DigitsField, LenientAmount, LenientId

NUMBER = DigitsField(lengths=range(12, 20))
CODE = DigitsField(lengths=range(3, 5), min_digits=3)
# A NaN never gets here: strict JSON refuses it.
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


@pytest.mark.parametrize("value", [1, "1", Decimal("1.0"), True, " 1 ", "1.0", "0001"])
def test_an_id_comes_in_every_form_that_was_seen(value: Any) -> None:
    assert LenientId().deserialize(value) == 1


@given(st.integers(1, LARGEST_ID))
def test_every_id_is_taken_as_number_and_as_text(number: int) -> None:
    assert LenientId().deserialize(number) == LenientId().deserialize(str(number)) == number


@given(ANYTHING)
def test_an_id_is_a_positive_integer_or_refused(value: Any) -> None:
    try:
        number = LenientId().deserialize(value)
    except ValidationError:
        return
    assert type(number) is int
    assert 1 <= number <= LARGEST_ID


@given(st.decimals(min_value="0.000001", max_value=LARGEST_AMOUNT, allow_nan=False, places=6))
def test_every_amount_is_taken_exactly_as_number_and_as_text(amount: Decimal) -> None:
    assert LenientAmount().deserialize(amount) == LenientAmount().deserialize(f"{amount:f}") == amount


@given(ANYTHING)
def test_an_amount_is_positive_and_not_too_large_or_refused(value: Any) -> None:
    try:
        amount = LenientAmount().deserialize(value)
    except ValidationError:
        return
    assert isinstance(amount, Decimal)
    assert 0 < amount <= LARGEST_AMOUNT


@pytest.mark.parametrize(
    "value",
    [
        *(True, "1e3", "1,5", "+1", "1.", ".5", "\u0661", "0x1", "NaN", "Infinity", "", "1_0", "-0", "-1"),
        *("1e-100000000", "1e-5000000", "9" * 31, "0." + "3" * 50_000, 10**4000),
        *map(Decimal, ("1e-100000000", "1e100000000", "-1e-100000000", "0e-100000000")),
    ],
    ids=lambda value: repr(value)[:30] if not isinstance(value, int) else "int",
)
def test_what_is_no_plain_number_is_no_amount(value: Any) -> None:
    with pytest.raises(ValidationError):
        LenientAmount().deserialize(value)


@given(st.text(alphabet="0123456789", min_size=12, max_size=19), st.sampled_from([" ", "-", ""]))
def test_digits_may_be_grouped(digits: str, between: str) -> None:
    assert NUMBER.deserialize(between.join(digits)) == digits


@given(st.integers(0, 9999))
def test_a_numeric_code_has_at_least_three_digits(number: int) -> None:
    assert CODE.deserialize(number) == f"{number:03}"


@given(ANYTHING)
def test_digits_are_digits_of_the_right_number_or_refused(value: Any) -> None:
    for field, lengths in ((NUMBER, range(12, 20)), (CODE, range(3, 5))):
        try:
            digits = field.deserialize(value)
        except ValidationError:
            continue
        assert digits.isascii()
        assert digits.isdigit()
        assert len(digits) in lengths
