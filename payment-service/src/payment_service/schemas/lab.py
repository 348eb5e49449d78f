"""The lab surface's JSON, as Store Manager and its collections write and read it."""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import marshmallow as ma
from flask import current_app
from marshmallow import ValidationError, fields
from service_kit.card_checks import has_expired
from service_kit.clock import utc_now
from service_kit.decimals import read_decimal
from service_kit.web.shown_fields import shown
from service_kit.web.strict_json import MAX_NUMBER_LENGTH

from payment_service.values.cards import CardData, is_card_number
from payment_service.values.money import Money

_DATE = "(20[0-9]{2})-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01]))?"

LARGEST_ID = 2**63 - 1
_ID = {"type": "integer", "minimum": 1, "maximum": LARGEST_ID, "example": 1}
_EXPIRY = re.compile(_DATE)


class LabSchema(ma.Schema):
    """Ignores members that it does not know, as the reference service does."""

    class Meta:
        unknown = ma.EXCLUDE


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
        if number is None:
            raise ValidationError("Must be a number with a point, such as 19.99.")
        if not 0 < number <= LARGEST_AMOUNT:
            raise ValidationError(f"Must be an amount above 0, at most {LARGEST_AMOUNT}.")
        return number


class CreatePaymentSchema(LabSchema):
    order_id = LenientId(required=True, metadata=_ID)
    user_id = LenientId(required=True, metadata=_ID)
    total_amount = LenientAmount(
        required=True,
        metadata={
            "type": "number",
            "minimum": 0.005,
            "maximum": 9999999999.99,
            "example": 3999.98,
            "description": "In major units; rounded half up to the currency's decimals, and then above 0.",
        },
    )

    @ma.post_load
    def to_amount(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Return what ``CreatePayment`` takes; an amount that rounds to nothing is refused."""
        currency = current_app.config["LAB_CURRENCY"]
        money = Money.from_decimal(data["total_amount"], currency)
        if money.amount_minor < 1:
            raise ma.ValidationError("Rounds to nothing.", "total_amount")
        return {"order_id": data["order_id"], "user_id": data["user_id"], "amount": money}


class CreatedSchema(ma.Schema):
    payment_id = shown(ma.fields.Integer, example=3)


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


class LabCardSchema(LabSchema):
    """A card, by the names of the lab's collections; numbers or strings."""

    cardNumber = DigitsField(  # noqa: N815  the client's name
        required=True,
        lengths=range(12, 20),
        metadata={
            "type": ["integer", "string"],
            "minimum": 10**11,
            "maximum": 10**19 - 1,
            "pattern": r"^[ -]*(?:[0-9][ -]*){12,19}$",
            "example": 9999999999999,
        },
    )
    cardCode = DigitsField(  # noqa: N815
        required=True,
        lengths=range(3, 5),
        min_digits=3,
        metadata={
            "type": ["integer", "string"],
            "minimum": 0,
            "maximum": 9999,
            "pattern": r"^[ -]*(?:[0-9][ -]*){3,4}$",
            "example": 123,
        },
    )
    expirationDate = ma.fields.String(  # noqa: N815
        required=True,
        metadata={
            "pattern": rf"^\s*{_DATE}\s*$",
            "example": "2030-01-05",
            "description": "YYYY-MM-DD or YYYY-MM; the day does not count.",
        },
    )

    @ma.post_load
    def to_card(self, data: dict[str, Any], **_: Any) -> CardData:
        without_luhn = current_app.config["PANS_WITHOUT_LUHN"]
        if not is_card_number(data["cardNumber"], without_luhn=without_luhn):
            raise ma.ValidationError("Is not a card number: the check digit is wrong.", "cardNumber")
        expiry = _EXPIRY.fullmatch(data["expirationDate"].strip())
        if expiry is None:
            raise ma.ValidationError("Must be a date such as 2030-01-05.", "expirationDate")
        month, year = int(expiry[2]), int(expiry[1])
        if has_expired(month, year, utc_now()):
            raise ma.ValidationError("The card has expired.", "expirationDate")
        return CardData(data["cardNumber"], month, year, data["cardCode"])


class ProcessedSchema(ma.Schema):
    order_id = shown(ma.fields.Integer, example=1)
    payment_id = shown(ma.fields.Integer, example=3)
    is_paid = ma.fields.Boolean(required=True)
    status = ma.fields.String(metadata={"example": "completed"})
    next_action = ma.fields.Dict(metadata={"description": "Only while the outcome is open."})


class LabPaymentSchema(ma.Schema):
    id = shown(ma.fields.Integer, attribute="payment.id", example=1)
    order_id = ma.fields.Integer(required=True, attribute="payment.order_id")
    user_id = ma.fields.Integer(required=True, attribute="payment.user_id")
    # The exact amount, which JSON then shows without binary noise.
    total_amount = ma.fields.Function(
        lambda shown: shown["payment"].amount.to_decimal(),
        metadata={"type": "number", "description": "In major units.", "example": 1999.99},
    )
    currency = ma.fields.String(attribute="payment.currency")
    is_paid = ma.fields.Boolean(required=True, attribute="payment.is_paid")
    status = ma.fields.String(attribute="payment.status")
    decline_code = ma.fields.String(
        allow_none=True,
        metadata={
            "description": "While it has failed: why the last card was refused.",
            "example": "lost_card",
        },
    )
    message = ma.fields.String(metadata={"description": "The same, for the payer."})


LARGEST_AMOUNT = Decimal("9999999999.99")

# As many decimals as strict JSON takes in a number: binary noise, and whatever else a client computed.
_PLAIN_NUMBER = re.compile(rf"[0-9]{{1,30}}(\.[0-9]{{1,{MAX_NUMBER_LENGTH}}})?")


def _as_decimal(value: Any, *, allow_bool: bool) -> Decimal | None:
    if isinstance(value, bool):
        return Decimal(value) if allow_bool else None
    return read_decimal(value.strip() if isinstance(value, str) else value, _PLAIN_NUMBER)
