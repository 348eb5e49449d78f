"""A card as merchants' servers send it."""

import re
from typing import Any

import marshmallow as ma
from service_kit.clock import utc_now

from payment_service.values.cards import CardData, has_expired, is_card_number

_SEPARATORS = re.compile(r"[ -]")
NO_EXCEPTIONS: frozenset[str] = frozenset()


class CardSchema(ma.Schema):
    """``{"number", "exp_month", "exp_year", "cvc"}`` → :class:`CardData`.

    Members that it does not know are ignored and not named: a number may have got into a name. The PANs
    without a check digit are the lab surface's alone.
    """

    class Meta:
        unknown = ma.EXCLUDE

    number = ma.fields.String(
        required=True,
        validate=ma.validate.Regexp(r"[0-9](?:[ -]?[0-9]){11,18}\Z", error="Must have 12 to 19 digits."),
        metadata={
            "example": "4242424242424242",
            "description": "12 to 19 digits with a right check digit; single blanks or dashes between.",
        },
    )
    exp_month = ma.fields.Integer(
        required=True, strict=True, validate=ma.validate.Range(1, 12), metadata={"example": 12}
    )
    exp_year = ma.fields.Integer(
        required=True, strict=True, validate=ma.validate.Range(2000, 2099), metadata={"example": 2031}
    )
    cvc = ma.fields.String(
        load_default=None,
        allow_none=True,
        validate=ma.validate.Regexp(r"[0-9]{3,4}\Z", error="Must have 3 or 4 digits."),
        metadata={"example": "123", "description": "Sent on, or only checked; never stored."},
    )

    @ma.post_load
    def to_card(self, data: dict[str, Any], **_: Any) -> CardData:
        number = _SEPARATORS.sub("", data["number"])
        if not is_card_number(number, without_luhn=NO_EXCEPTIONS):
            raise ma.ValidationError("Is not a card number: the check digit is wrong.", "number")
        if has_expired(data["exp_month"], data["exp_year"], utc_now().date()):
            raise ma.ValidationError("The card has expired.", "exp_year")
        return CardData(number, data["exp_month"], data["exp_year"], data["cvc"])
