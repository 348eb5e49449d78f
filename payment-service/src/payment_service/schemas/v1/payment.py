"""A payment as merchants' servers see it."""

from typing import Any

import marshmallow as ma
from service_kit.web.shown_fields import constant, shown
from service_kit.web.strict_fields import UtcTime

from payment_service.schemas.v1 import examples
from payment_service.values.statuses import PaymentStatus

SHOWN_STATUSES = (*PaymentStatus, "partially_refunded", "refunded", "disputed", "charged_back")


def _own(name: str, description: str, **schema: Any) -> ma.fields.Field[Any]:
    metadata = {"description": description, **schema}
    return ma.fields.Function(lambda view: getattr(view.payment, name), required=True, metadata=metadata)


def _time(name: str, description: str, example: str) -> ma.fields.Field[Any]:
    return shown(
        UtcTime, attribute=f"payment.{name}", allow_none=True, description=description, example=example
    )


class CardShownSchema(ma.Schema):
    bin = shown(
        ma.fields.String,
        attribute="card_bin",
        allow_none=True,
        example="424242",
        description="The number's first six digits, which name the bank.",
    )
    last4 = shown(
        ma.fields.String,
        attribute="card_last4",
        allow_none=True,
        example="4242",
        description="The number's last four digits.",
    )


class MethodShownSchema(ma.Schema):
    id = shown(
        ma.fields.String,
        allow_none=True,
        example=examples.CARD,
        description="The id of the stored card; null where the card was typed in.",
    )
    type = shown(ma.fields.String, example="card", description="Always `card`, as yet.")
    card = ma.fields.Nested(
        CardShownSchema, required=True, metadata={"description": "What may be shown of the card."}
    )


class RedirectSchema(ma.Schema):
    url = shown(
        ma.fields.String,
        example="https://acs.bank.example/3ds/c4f1",
        description="Where to send the payer's browser; it returns to our page, which leads to `return_url`.",
    )


class NextActionSchema(ma.Schema):
    type = shown(ma.fields.String, example="redirect_to_url", description="Always `redirect_to_url`, as yet.")
    redirect_to_url = ma.fields.Nested(
        RedirectSchema, required=True, metadata={"description": "Where the payer must go."}
    )


class LastErrorSchema(ma.Schema):
    code = shown(
        ma.fields.String,
        example="payment_declined",
        description="The problem code of the last attempt: docs/reference explains each.",
    )
    decline_code = shown(
        ma.fields.String,
        allow_none=True,
        example="lost_card",
        description="Why the card was declined: docs/reference explains each; null where no bank said so.",
    )
    message = shown(
        ma.fields.String,
        example="The bank declined the card; another card may follow.",
        description="A sentence for the merchant's staff.",
    )


class ThreeDsSchema(ma.Schema):
    """What 3-D Secure came to; ``liability`` says who bears a fraudulent payment."""

    status = shown(
        ma.fields.String,
        attribute="three_ds_status",
        example="authenticated",
        description="`authenticated`, `attempted`, `failed` or `unavailable`.",
    )
    eci = shown(
        ma.fields.String,
        attribute="three_ds_eci",
        allow_none=True,
        example="05",
        description="The card network's electronic commerce indicator, two digits.",
    )
    liability = shown(
        ma.fields.String,
        allow_none=True,
        example="issuer",
        description="Who bears a fraudulent payment: `issuer` or `merchant`.",
    )


class CustomerShownSchema(ma.Schema):
    """Whom the merchant sells to; a name and a phone number only where they were given."""

    id = shown(
        ma.fields.String,
        allow_none=True,
        example="42",
        description="The merchant's own name for the customer.",
    )
    email = shown(
        ma.fields.String, allow_none=True, example="zoe@example.com", description="Where the receipt goes."
    )
    locale = shown(ma.fields.String, example="fr", description="The language of the receipt.")
    name = ma.fields.String(metadata={"example": "Zoé Amrani", "description": "The customer's name."})
    phone = ma.fields.String(metadata={"example": "+212600000000", "description": "E.164."})


class PaymentSchema(ma.Schema):
    """A payment; amounts are integers in minor units of the currency."""

    id = _own("public_id", "The payment's id.", type="string", example=examples.PAYMENT)
    object = constant("payment")
    status = ma.fields.String(
        required=True,
        validate=ma.validate.OneOf(SHOWN_STATUSES),
        metadata={
            "example": "completed",
            "description": "How it stands: `pending` and `failed` can be paid; `completed`, and what refunds "
            "and disputes make of that, is paid.",
        },
    )
    amount = _own("amount_minor", "What is to be paid, in minor units.", type="integer", example=19999)
    currency = _own("currency", examples.CURRENCY, type="string", example="MAD")
    capture_method = _own(
        "capture_method",
        "`automatic` takes the money at once; `manual` holds it until /capture.",
        type="string",
        enum=["automatic", "manual"],
        example="automatic",
    )
    amount_capturable = _own(
        "capturable_minor", "What /capture may still take, in minor units.", type="integer", example=0
    )
    amount_captured = _own("captured_minor", "What was taken, in minor units.", type="integer", example=19999)
    amount_refunded = _own("refunded_minor", "What went back, in minor units.", type="integer", example=0)
    amount_disputed = _own(
        "disputed_minor", "What open disputes hold back, in minor units.", type="integer", example=0
    )
    payment_method = ma.fields.Nested(
        MethodShownSchema,
        required=True,
        allow_none=True,
        metadata={"description": "What the last attempt was paid with; null before the first."},
    )
    next_action = ma.fields.Nested(
        NextActionSchema,
        required=True,
        allow_none=True,
        metadata={"description": "What the payer must do; null unless `status` is `requires_action`."},
    )
    last_error = ma.fields.Nested(
        LastErrorSchema,
        required=True,
        allow_none=True,
        metadata={"description": "Why the last attempt failed; null where it did not."},
    )
    three_ds = ma.fields.Nested(
        ThreeDsSchema,
        required=True,
        allow_none=True,
        metadata={"description": "What 3-D Secure came to; null where it was not asked."},
    )
    order_id = ma.fields.Function(
        lambda view: view.payment.order_id or None,
        required=True,
        metadata={
            "type": ["string", "null"],
            "example": "1017",
            "description": "The merchant's own number of the order.",
        },
    )
    customer = ma.fields.Nested(
        CustomerShownSchema, required=True, metadata={"description": "Whom it is sold to."}
    )
    line_items = ma.fields.Function(
        lambda view: view.details.get("line_items", []),
        required=True,
        metadata={
            "type": "array",
            "items": {"type": "object"},
            "example": [
                {
                    "name": "Keyboard",
                    "quantity": 2,
                    "unit_amount": 7500,
                    "tax_amount": 3000,
                    "tax_rate": "20",
                }
            ],
            "description": "What is sold, as it was created; amounts in minor units.",
        },
    )
    description = _own(
        "description",
        "The merchant's line for its records.",
        type=["string", "null"],
        example="Order 1017",
    )
    metadata = ma.fields.Function(
        lambda view: view.details.get("metadata", {}),
        required=True,
        metadata={
            "type": "object",
            "example": {"campaign": "autumn"},
            "description": "The merchant's own pairs of texts.",
        },
    )
    return_url = _own(
        "return_url",
        "Where the payer goes after the checkout page or 3-D Secure.",
        type=["string", "null"],
        example="https://shop.example/back?order=7",
    )
    checkout_url = shown(
        ma.fields.String,
        allow_none=True,
        example="https://pay.example/checkout/Zk3v0bq8T2mXc5yR",
        description="The page on which a person can pay it; null when nobody can any more.",
    )
    created_at = _time("created_at", "When it was created, UTC.", examples.CREATED_AT)
    expires_at = _time("expires_at", "When it ends by itself, UTC; null where it does not.", examples.LATER)
    paid_at = _time("paid_at", "When it was paid, UTC; null before.", examples.PAID_AT)
