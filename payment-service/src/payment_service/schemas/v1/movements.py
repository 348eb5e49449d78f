"""Captures, cancellations and refunds, as merchants' servers request them, and refunds as they see them."""

import marshmallow as ma
from service_kit.web.api import MakingSchema, OptionalBody
from service_kit.web.shown_fields import constant, shown
from service_kit.web.strict_fields import StrictBoolean, UtcTime

from payment_service.domain.settlement.captures import CaptureRequest
from payment_service.schemas.v1 import examples
from payment_service.schemas.v1.free_text import text_field
from payment_service.schemas.v1.pagination import PageQuerySchema, PublicId
from payment_service.schemas.v1.payment_requests import amount_field

_RETURNED = "The customer returned the goods"


class RefundSchema(ma.Schema):
    """A refund; the amount in minor units of the currency."""

    id = shown(
        ma.fields.String,
        attribute="refund.public_id",
        example=examples.REFUND,
        description="The refund's id.",
    )
    object = constant("refund")
    payment = shown(
        ma.fields.String,
        attribute="payment_id",
        example=examples.PAYMENT,
        description="The payment whose money goes back.",
    )
    amount = shown(
        ma.fields.Integer,
        attribute="refund.amount_minor",
        example=19999,
        description="How much goes back, in minor units.",
    )
    currency = shown(
        ma.fields.String, attribute="refund.currency", example="MAD", description=examples.CURRENCY
    )
    status = ma.fields.String(
        required=True,
        validate=ma.validate.OneOf(("pending", "succeeded", "failed")),
        metadata={
            "example": "succeeded",
            "description": "`pending`: the bank has not decided or not told us; `failed`: none went back.",
        },
    )
    reason = shown(
        ma.fields.String,
        attribute="refund.reason",
        allow_none=True,
        example=_RETURNED,
        description="The merchant's reason; null where none was given.",
    )
    failure_code = shown(
        ma.fields.String,
        allow_none=True,
        example=None,
        description="Why it failed: the bank's decline code; `not_sent` or `abandoned` where it never acted.",
    )
    created_at = shown(
        UtcTime,
        attribute="refund.started_at",
        example=examples.LATER,
        description="When it was asked for, UTC.",
    )


class RefundCreateSchema(ma.Schema):
    """A refund to be made; without an amount it is all that can still be refunded."""

    payment = PublicId(
        required=True,
        metadata={"example": examples.PAYMENT, "description": "The payment whose money goes back."},
    )
    amount = amount_field(
        "How much goes back, in minor units; all that can still be refunded when absent.", load_default=None
    )
    reason = text_field(
        500,
        load_default=None,
        metadata={"example": _RETURNED, "description": "Why, for your records and the payment's story."},
    )


class RefundsQuerySchema(PageQuerySchema):
    payment = PublicId(
        load_default=None,
        metadata={"description": "Only refunds of this payment.", "example": examples.PAYMENT},
    )


class CaptureSchema(OptionalBody, MakingSchema):
    """How much of the hold is taken; without an amount all of it, and nothing more can be taken after."""

    makes = CaptureRequest

    amount = amount_field(
        "How much is taken, in minor units; all that is held when absent, and then it is final.",
        load_default=None,
        attribute="amount_minor",
    )
    final = StrictBoolean(
        load_default=False,
        attribute="is_final",
        metadata={
            "description": "Release what is left of the hold: nothing more can be captured afterwards.",
            "example": True,
        },
    )


class CancelSchema(OptionalBody):
    reason = text_field(
        500,
        load_default=None,
        metadata={"example": "Out of stock", "description": "Why, for the payment's story."},
    )
