"""Disputes as JSON."""

import marshmallow as ma
from service_kit.web.shown_fields import shown
from service_kit.web.strict_fields import UtcTime

from payment_service.schemas.v1.pagination import PageQuerySchema, PublicId
from payment_service.values.statuses import DisputeStatus


class DisputeSchema(ma.Schema):
    id = shown(ma.fields.String, attribute="public_id", example="dp_01k9…")
    object = ma.fields.Constant("dispute", required=True)
    payment = shown(ma.fields.String, attribute="payment_public_id", example="pay_01k9…")
    amount = shown(ma.fields.Integer, attribute="amount_minor", description="In minor units.")
    currency = shown(ma.fields.String, example="MAD", description="ISO 4217.")
    status = ma.fields.String(required=True, validate=ma.validate.OneOf([*DisputeStatus]))
    reason = shown(ma.fields.String, allow_none=True, description="The bank's word.", example="fraudulent")
    created_at = shown(UtcTime, description="When we heard of it first.")
    closed_at = shown(UtcTime, allow_none=True, description="When we heard that it was won or lost.")


class DisputeQuerySchema(PageQuerySchema):
    payment = PublicId(load_default=None, metadata={"description": "Only those of this payment."})
    status = ma.fields.Enum(
        DisputeStatus, load_default=None, by_value=True, metadata={"description": "Only these."}
    )
