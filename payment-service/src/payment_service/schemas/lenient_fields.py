"""Fields as lenient as the lab's clients need, and no more."""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from marshmallow import ValidationError, fields
from service_kit.strict_fields import read_decimal
from service_kit.strict_json import MAX_NUMBER_LENGTH

LARGEST_ID = 2**63 - 1
LARGEST_AMOUNT = Decimal("9999999999.99")

# As many decimals as strict JSON takes in a number: binary noise, and whatever else a client computed.
_PLAIN_NUMBER = re.compile(rf"[0-9]{{1,30}}(\.[0-9]{{1,{MAX_NUMBER_LENGTH}}})?")


class LenientId(fields.Field[int]):
    """A positive integer that may come as ``1``, ``"1"``, ``1.0`` or ``true``: all were seen."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **_: Any) -> int:
        number = _as_decimal(value, allow_bool=True)
        if number is None or not 1 <= number <= LARGEST_ID or number != number.to_integral_value():
            # Not the largest one in digits: the redaction would take it for a card number.
            raise ValidationError("Must be a whole number from 1 to 2^63 - 1.")
        return int(number)


class LenientAmount(fields.Field[Decimal]):
    """A positive amount in major units: a number, with binary noise or without, or a plain decimal string."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **_: Any) -> Decimal:
        number = _as_decimal(value, allow_bool=False)
        if number is None or not 0 < number <= LARGEST_AMOUNT:
            raise ValidationError(f"Must be an amount above 0, at most {LARGEST_AMOUNT}.")
        return number


class DigitsField(fields.Field[str]):
    """Digits that may come as a number, or as a string with blanks or dashes between them.

    ``min_digits``: a number lost its leading zeros on the way; they are put back.
    """

    def __init__(self, *, lengths: range, min_digits: int = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._lengths = lengths
        self._min_digits = min_digits

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **_: Any) -> str:
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10 ** self._lengths[-1]:
            digits = str(value).zfill(self._min_digits)
        elif isinstance(value, str):
            digits = value.replace(" ", "").replace("-", "")
        else:
            digits = ""
        if not (digits.isascii() and digits.isdigit() and len(digits) in self._lengths):
            raise ValidationError(f"Must have {self._lengths[0]} to {self._lengths[-1]} digits.")
        return digits


def _as_decimal(value: Any, *, allow_bool: bool) -> Decimal | None:
    if isinstance(value, bool):
        return Decimal(value) if allow_bool else None
    return read_decimal(value.strip() if isinstance(value, str) else value, _PLAIN_NUMBER)
