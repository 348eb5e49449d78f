"""Disputes as JSON."""

import marshmallow as ma
from service_kit.web.shown_fields import constant, shown
from service_kit.web.strict_fields import UtcTime

from payment_service.schemas.v1 import examples
from payment_service.schemas.v1.pagination import PageQuerySchema, PublicId
from payment_service.values.statuses import DisputeStatus


class DisputeSchema(ma.Schema):
    id = shown(
        ma.fields.String, attribute="public_id", example=examples.DISPUTE, description="The dispute's id."
    )
    object = constant("dispute")
    payment = shown(
        ma.fields.String,
        attribute="payment_public_id",
        example=examples.PAYMENT,
        description="The payment that is disputed.",
    )
    amount = shown(
        ma.fields.Integer,
        attribute="amount_minor",
        example=19999,
        description="How much the cardholder wants back, in minor units.",
    )
    currency = shown(ma.fields.String, example="MAD", description=examples.CURRENCY)
    status = ma.fields.String(
        required=True,
        validate=ma.validate.OneOf([*DisputeStatus]),
        metadata={
            "example": "opened",
            "description": "`opened`: the money is held back; `won`: the merchant keeps it; `lost`: it went.",
        },
    )
    reason = shown(
        ma.fields.String,
        allow_none=True,
        description="The bank's word for why; null where it gave none.",
        example="fraudulent",
    )
    created_at = shown(UtcTime, example=examples.LATER, description="When we heard of it first, UTC.")
    closed_at = shown(
        UtcTime,
        allow_none=True,
        example=None,
        description="When we heard that it was won or lost, UTC; null while it is open.",
    )


class DisputeQuerySchema(PageQuerySchema):
    payment = PublicId(
        load_default=None,
        metadata={"description": "Only disputes of this payment.", "example": examples.PAYMENT},
    )
    status = ma.fields.Enum(
        DisputeStatus,
        load_default=None,
        by_value=True,
        metadata={"description": "Only disputes that stand like this.", "example": "opened"},
    )
