"""Captures, cancellations and refunds, as merchants' servers request them, and refunds as they see them."""

import marshmallow as ma
from service_kit.web.api import MakingSchema, OptionalBody
from service_kit.web.shown_fields import shown
from service_kit.web.strict_fields import StrictBoolean, UtcTime

from payment_service.domain.settlement.captures import CaptureRequest
from payment_service.schemas.v1.free_text import text_field
from payment_service.schemas.v1.pagination import PageQuerySchema, PublicId
from payment_service.schemas.v1.payment_requests import amount_field


class RefundSchema(ma.Schema):
    """A refund; the amount in minor units of the currency."""

    id = shown(ma.fields.String, attribute="refund.public_id", example="re_01kaq3m5x0e8d7w2v9t4r6y1zn")
    object = ma.fields.Constant("refund", required=True)
    payment = shown(ma.fields.String, attribute="payment_id", example="pay_01kaq3m5x0e8d7w2v9t4r6y1zn")
    amount = shown(ma.fields.Integer, attribute="refund.amount_minor", example=19999)
    currency = shown(ma.fields.String, attribute="refund.currency", example="MAD")
    status = ma.fields.String(required=True, validate=ma.validate.OneOf(("pending", "succeeded", "failed")))
    reason = ma.fields.String(required=True, allow_none=True, attribute="refund.reason")
    failure_code = shown(
        ma.fields.String,
        allow_none=True,
        description="The bank's decline code; not_sent or abandoned where it never acted.",
    )
    created_at = UtcTime(required=True, attribute="refund.started_at")


class RefundCreateSchema(ma.Schema):
    """A refund to be made; without an amount it is all that can still be refunded."""

    payment = PublicId(required=True, metadata={"example": "pay_01kaq3m5x0e8d7w2v9t4r6y1zn"})
    amount = amount_field(load_default=None)
    reason = text_field(500, load_default=None)


class RefundsQuerySchema(PageQuerySchema):
    payment = PublicId(load_default=None, metadata={"description": "Only refunds of this payment."})


class CaptureSchema(OptionalBody, MakingSchema):
    """How much of the hold is taken; without an amount all of it, and nothing more can be taken after."""

    makes = CaptureRequest

    amount = amount_field(load_default=None, attribute="amount_minor")
    final = StrictBoolean(
        load_default=False,
        attribute="is_final",
        metadata={"description": "Release what is left of the hold."},
    )


class CancelSchema(OptionalBody):
    reason = text_field(500, load_default=None)
