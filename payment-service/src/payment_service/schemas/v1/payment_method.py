"""Cards as merchants' servers send them, and payment methods as JSON."""

import re
from typing import Any

import marshmallow as ma
from service_kit.card_checks import has_expired
from service_kit.clock import utc_now
from service_kit.web.shown_fields import constant, shown
from service_kit.web.strict_fields import UtcTime

from payment_service.models.card import PaymentMethod
from payment_service.schemas.v1 import examples
from payment_service.schemas.v1.free_text import text_field
from payment_service.schemas.v1.pagination import PageQuerySchema
from payment_service.values.cards import CardData, is_card_number

_SEPARATORS = re.compile(r"[ -]")


class CardSchema(ma.Schema):
    """``{"number", "exp_month", "exp_year", "cvc"}`` → :class:`CardData`.

    Members that it does not know are ignored and not named: a number may have got into a name. The PANs
    without a check digit are the lab surface's alone.
    """

    class Meta:
        unknown = ma.EXCLUDE

    number = ma.fields.String(
        required=True,
        validate=ma.validate.Regexp(
            r"[0-9](?:[ -]?[0-9]){11,18}\Z",
            error="Must have 12 to 19 digits, with single blanks or dashes at most between them.",
        ),
        metadata={
            "example": "4242424242424242",
            "description": "12 to 19 digits with a right check digit; single blanks or dashes between.",
        },
    )
    exp_month = ma.fields.Integer(
        required=True,
        strict=True,
        validate=ma.validate.Range(1, 12),
        metadata={"example": 12, "description": "The month of expiry, 1 to 12."},
    )
    exp_year = ma.fields.Integer(
        required=True,
        strict=True,
        validate=ma.validate.Range(2000, 2099),
        metadata={"example": 2031, "description": "The year of expiry, four digits."},
    )
    cvc = ma.fields.String(
        load_default=None,
        allow_none=True,
        validate=ma.validate.Regexp(r"[0-9]{3,4}\Z", error="Must have 3 or 4 digits."),
        metadata={
            "example": "123",
            "description": "The security code, 3 or 4 digits: sent on, or only checked; never stored.",
        },
    )

    @ma.post_load
    def to_card(self, data: dict[str, Any], **_: Any) -> CardData:
        number = _SEPARATORS.sub("", data["number"])
        if not is_card_number(number):
            raise ma.ValidationError("Is not a card number: the check digit is wrong.", "number")
        if has_expired(data["exp_month"], data["exp_year"], utc_now()):
            raise ma.ValidationError("The card has expired.", "exp_year")
        return CardData(number, data["exp_month"], data["exp_year"], data["cvc"])


def _customer_id(**kwargs: Any) -> ma.fields.String:
    return text_field(
        64,
        metadata={"description": "The merchant's own name for the customer.", "example": "42"},
        **kwargs,
    )


class OwnerSchema(ma.Schema):
    id = _customer_id(required=True)


class StorePaymentMethodSchema(ma.Schema):
    card = ma.fields.Nested(
        CardSchema, required=True, metadata={"description": "The card to store, without asking its bank."}
    )
    customer = ma.fields.Nested(
        OwnerSchema,
        load_default=None,
        allow_none=True,
        metadata={"description": "To whom it belongs: then it pays for nobody else."},
    )

    @ma.post_load
    def to_members(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Return what ``StorePaymentMethod`` takes beside the merchant."""
        customer = data["customer"]
        return {"card": data["card"], "customer_id": customer["id"] if customer else None}


class PaymentMethodQuerySchema(PageQuerySchema):
    customer = _customer_id(load_default=None)


class StoredCardSchema(ma.Schema):
    brand = shown(ma.fields.String, attribute="card_brand", example="visa", description="The card network.")
    last4 = shown(
        ma.fields.String, attribute="card_last4", example="4242", description="The number's last four digits."
    )
    bin = shown(
        ma.fields.String,
        attribute="card_bin",
        example="424242",
        description="The number's first six digits, which name the bank.",
    )
    exp_month = shown(ma.fields.Integer, example=12, description="The month of expiry, 1 to 12.")
    exp_year = shown(ma.fields.Integer, example=2031, description="The year of expiry, four digits.")


class PaymentMethodSchema(ma.Schema):
    id = shown(
        ma.fields.String,
        example=examples.CARD,
        description="The stored card's id: pay with it as `payment_method`.",
    )
    object = constant("payment_method")
    type = constant("card")
    card = ma.fields.Nested(
        StoredCardSchema,
        required=True,
        metadata={"description": "What may be shown of the card."},
    )
    customer = ma.fields.Nested(
        OwnerSchema,
        required=True,
        allow_none=True,
        metadata={"description": "To whom it belongs; null where it was stored for nobody."},
    )
    created_at = shown(UtcTime, example=examples.CREATED_AT, description="When it was stored, UTC.")
    detached_at = shown(
        UtcTime,
        allow_none=True,
        example=None,
        description="When it was detached, UTC; null while it can pay.",
    )

    @ma.pre_dump
    def of_row(self, method: PaymentMethod, **_: Any) -> dict[str, Any]:
        return {
            "id": method.public_id,
            "card": method,
            "customer": None if method.customer_id is None else {"id": method.customer_id},
            "created_at": method.created_at,
            "detached_at": method.detached_at,
        }
