"""Disputes as JSON."""

import marshmallow as ma

from payment_service.schemas.v1.pagination import PageQuerySchema, PublicId, Timestamp, list_schema
from payment_service.values.statuses import DisputeStatus


class DisputeSchema(ma.Schema):
    id = ma.fields.String(required=True, attribute="public_id", metadata={"example": "dp_01k9…"})
    object = ma.fields.Constant("dispute", required=True)
    payment = ma.fields.String(
        required=True, attribute="payment_public_id", metadata={"example": "pay_01k9…"}
    )
    amount = ma.fields.Integer(
        required=True, attribute="amount_minor", metadata={"description": "In minor units."}
    )
    currency = ma.fields.String(required=True, metadata={"example": "MAD", "description": "ISO 4217."})
    status = ma.fields.String(required=True, validate=ma.validate.OneOf([*DisputeStatus]))
    reason = ma.fields.String(
        required=True, allow_none=True, metadata={"description": "The bank's word.", "example": "fraudulent"}
    )
    created_at = Timestamp(required=True, metadata={"description": "When we heard of it first."})
    closed_at = Timestamp(
        required=True, allow_none=True, metadata={"description": "When we heard that it was won or lost."}
    )


class DisputeQuerySchema(PageQuerySchema):
    payment = PublicId(load_default=None, metadata={"description": "Only those of this payment."})
    status = ma.fields.Enum(
        DisputeStatus, load_default=None, by_value=True, metadata={"description": "Only these."}
    )


DisputeListSchema = list_schema(DisputeSchema)
