"""What merchants' servers send about payments."""

from collections.abc import Mapping
from typing import Any

import marshmallow as ma
from service_kit.currencies import is_currency
from service_kit.email_addresses import AddressNotUsable, email_address
from service_kit.web import strict_json
from service_kit.web.standard_app import MAX_BODY_BYTES
from service_kit.web.strict_fields import QueryInteger, StrictBoolean, StrictDecimal

from payment_service.schemas.v1 import examples
from payment_service.schemas.v1.free_text import CARD_NUMBER_IN_TEXT, refuse_card_number, text_field
from payment_service.schemas.v1.pagination import CreatedQuerySchema, PublicId
from payment_service.schemas.v1.payment_method import CardSchema
from payment_service.schemas.v1.return_url import check_return_url
from payment_service.values.cards import CardData, holds_card
from payment_service.values.money import Money
from payment_service.values.statuses import CaptureMethod, PaymentStatus

MAX_AMOUNT = 999_999_999_999
MAX_METADATA_KEYS = 50
# What we keep of one payment for its merchant (metadata, line items, the customer's name and phone), in the
# bytes of the column: never more than a request can bring.
MAX_KEPT_BYTES = MAX_BODY_BYTES


def amount_field(description: str, **kwargs: Any) -> ma.fields.Integer:
    metadata = {"description": description, "example": 19999}
    return ma.fields.Integer(
        strict=True, validate=ma.validate.Range(1, MAX_AMOUNT), metadata=metadata, **kwargs
    )


def _check_email(text: str) -> None:
    try:
        email_address(text)
    except AddressNotUsable as exc:
        raise ma.ValidationError(str(exc)) from exc


def _check_currency(code: str) -> None:
    if not is_currency(code):
        raise ma.ValidationError("Is not a currency of ISO 4217, such as MAD.")


class CustomerSchema(ma.Schema):
    """Whom the merchant sells to; the e-mail address gets the receipt. A member that is null is absent."""

    id = text_field(
        64,
        allow_none=True,
        metadata={"description": "The merchant's own name for the customer.", "example": "42"},
    )
    name = text_field(
        200, allow_none=True, metadata={"description": "The customer's name.", "example": "Zoé Amrani"}
    )
    email = ma.fields.String(
        allow_none=True,
        validate=[ma.validate.Length(max=254), refuse_card_number, _check_email],
        metadata={"format": "email", "example": "zoe@example.com", "description": "Where the receipt goes."},
    )
    phone = ma.fields.String(
        allow_none=True,
        validate=ma.validate.Regexp(r"\+[1-9][0-9]{5,14}\Z", error="Must be E.164, such as +212600000000."),
        metadata={"example": "+212600000000", "description": "E.164; kept, and never called."},
    )
    locale = ma.fields.String(
        allow_none=True,
        validate=ma.validate.Regexp(r"[a-z]{2}(-[A-Z]{2})?\Z", error="Must be such as fr or fr-MA."),
        metadata={"example": "fr", "description": "The language of the receipt, such as `fr` or `fr-MA`."},
    )


class LineItemSchema(ma.Schema):
    """One line of the e-mailed receipt; amounts in minor units, ``tax_amount`` for the whole line."""

    name = text_field(200, required=True, metadata={"description": "What is sold.", "example": "Keyboard"})
    quantity = ma.fields.Integer(
        strict=True,
        required=True,
        validate=ma.validate.Range(1, 1_000_000),
        metadata={"description": "How many of it.", "example": 2},
    )
    unit_amount = ma.fields.Integer(
        strict=True,
        required=True,
        validate=ma.validate.Range(0, MAX_AMOUNT),
        metadata={"description": "The price of one, in minor units.", "example": 7500},
    )
    tax_amount = ma.fields.Integer(
        strict=True,
        load_default=0,
        validate=ma.validate.Range(0, MAX_AMOUNT),
        metadata={"description": "The tax on the whole line, in minor units.", "example": 3000},
    )
    tax_rate = StrictDecimal(
        r"(100(\.0{1,4})?|[0-9]{1,2}(\.[0-9]{1,4})?)",
        load_default=None,
        allow_none=True,
        error_messages={"invalid": "Must be from 0 to 100, with at most 4 decimals."},
        metadata={
            "minimum": 0,
            "maximum": 100,
            "description": "In per cent, with at most 4 decimals.",
            "example": "20",
        },
    )


class PayWithSchema(ma.Schema):
    card = ma.fields.Nested(
        CardSchema,
        load_default=None,
        metadata={"description": "The card that pays; not with `payment_method`."},
    )
    payment_method = PublicId(
        load_default=None,
        metadata={
            "description": "The id of a stored card that pays; not with `card`.",
            "example": examples.CARD,
        },
    )

    @ma.validates_schema
    def check_one(self, data: dict[str, Any], **_: Any) -> None:
        if data.get("card") is not None and data.get("payment_method") is not None:
            raise ma.ValidationError("Give card or payment_method, not both.", "payment_method")


class ConfirmSchema(PayWithSchema):
    @ma.post_load
    def to_pay_with(self, data: dict[str, Any], **_: Any) -> CardData | str:
        pay_with: CardData | str | None = data["card"] or data["payment_method"]
        if pay_with is None:
            raise ma.ValidationError("Give card or payment_method.", "card")
        return pay_with


class PaymentCreateSchema(PayWithSchema):
    """A new payment; with ``confirm`` it is paid in the same request.

    What an answer may show as null may be sent as null: that is the same as leaving it out.
    """

    amount = amount_field("What is to be paid, in minor units of the currency.", required=True)
    currency = ma.fields.String(
        required=True,
        validate=[ma.validate.Regexp(r"[A-Z]{3}\Z", error="Three capital letters."), _check_currency],
        metadata={"example": "MAD", "description": examples.CURRENCY},
    )
    capture_method = ma.fields.Enum(
        CaptureMethod,
        by_value=True,
        load_default=CaptureMethod.AUTOMATIC,
        metadata={
            "type": "string",
            "example": "manual",
            "description": "`automatic` takes the money at once; `manual` holds it until /capture.",
        },
    )
    confirm = StrictBoolean(
        load_default=False,
        metadata={
            "example": True,
            "description": "Pay it in this request, with `card` or `payment_method`.",
        },
    )
    order_id = text_field(
        64,
        load_default=None,
        metadata={
            "example": "1017",
            "description": "The merchant's own number of the order; need not be unique.",
        },
    )
    customer = ma.fields.Nested(
        CustomerSchema, load_default=dict, metadata={"description": "Whom the merchant sells to."}
    )
    line_items = ma.fields.List(
        ma.fields.Nested(LineItemSchema),
        load_default=list,
        validate=ma.validate.Length(max=100),
        metadata={"description": "What is sold, at most 100 lines; their sum is not compared with `amount`."},
    )
    description = text_field(
        500,
        load_default=None,
        metadata={"example": "Order 1017", "description": "A line for your records."},
    )
    metadata = ma.fields.Dict(
        keys=text_field(40),
        values=text_field(500, 0),
        load_default=dict,
        validate=ma.validate.Length(max=MAX_METADATA_KEYS),
        metadata={
            "example": {"campaign": "autumn"},
            "description": "At most 50 pairs of texts; never interpreted, never a place for card data.",
        },
    )
    return_url = ma.fields.String(
        load_default=None,
        validate=[ma.validate.Length(1, 2000), check_return_url],
        metadata={
            "format": "uri",
            "example": "https://shop.example/back?order=7",
            "description": "Where the payer goes after the checkout page or 3-D Secure: https, or http on "
            "localhost while you build your shop.",
        },
    )

    @ma.post_load
    def to_members(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Return what ``CreateMerchantPayment`` takes beside the merchant."""
        pay_with = data["card"] or data["payment_method"]
        if data["confirm"] and pay_with is None:
            raise ma.ValidationError("Give card or payment_method with confirm.", "confirm")
        if not data["confirm"] and pay_with is not None:
            raise ma.ValidationError("A card is used only with confirm: true.", "confirm")
        if isinstance(pay_with, CardData):
            _keep_out(pay_with, data)
        customer = data["customer"]
        as_they_are = ("capture_method", "description", "return_url")
        return {
            **{name: data[name] for name in as_they_are},
            "amount": Money(data["amount"], data["currency"]),
            "order_id": data["order_id"] or "",
            "customer_id": customer.get("id") or "",
            "email": customer.get("email"),
            "locale": customer.get("locale"),
            "details": _kept(data),
            "pay_with": pay_with,
        }


def _keep_out(card: CardData, data: Mapping[str, Any]) -> None:
    """Refuse a text that holds the very card that pays, whatever network it is of."""
    for name in ("order_id", "description", "customer", "line_items", "metadata"):
        if holds_card(strict_json.dumps(data[name], only_ascii=False), card):
            raise ma.ValidationError(CARD_NUMBER_IN_TEXT, name)


def _kept(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return what we only keep of a payment."""
    customer = data["customer"]
    parts = {
        "customer": {name: customer[name] for name in ("name", "phone") if customer.get(name)},
        "line_items": [LineItemSchema().dump(item) for item in data["line_items"]],
        "metadata": data["metadata"],
    }
    kept = {name: value for name, value in parts.items() if value}
    if len(strict_json.dumps(kept, only_ascii=False).encode()) > MAX_KEPT_BYTES:
        raise ma.ValidationError(
            f"metadata, line_items and customer together are more than the {MAX_KEPT_BYTES} bytes we keep."
        )
    return kept


class ReviewSchema(ma.Schema):
    reason = text_field(
        500,
        required=True,
        metadata={
            "example": "Known customer",
            "description": "Why it was decided so, for the payment's story.",
        },
    )


class PaymentsQuerySchema(CreatedQuerySchema):
    status = ma.fields.Enum(
        PaymentStatus,
        by_value=True,
        load_default=None,
        error_messages={
            "unknown": "Must be one of: {choices}. Refunds and disputes leave a payment as it is: "
            "find them by /v1/refunds and /v1/disputes."
        },
        metadata={
            "type": "string",
            "example": "completed",
            "description": "Only payments in this stored state; refunds and disputes do not change it.",
        },
    )
    order_id = text_field(
        64, load_default=None, metadata={"example": "1017", "description": "Only payments of this order."}
    )
    customer = text_field(
        64,
        load_default=None,
        metadata={
            "example": "42",
            "description": "Only payments of this customer, by the merchant's own name.",
        },
    )
    amount_from = QueryInteger(
        load_default=None,
        validate=ma.validate.Range(0, MAX_AMOUNT),
        metadata={"example": 10000, "description": "Of this amount or more, in minor units."},
    )
    amount_to = QueryInteger(
        load_default=None,
        validate=ma.validate.Range(0, MAX_AMOUNT),
        metadata={"example": 50000, "description": "Of this amount or less, in minor units."},
    )
    older_than = QueryInteger(
        load_default=None,
        validate=ma.validate.Range(0, 10**9),
        metadata={"example": 3600, "description": "Created at least so many seconds ago."},
    )
