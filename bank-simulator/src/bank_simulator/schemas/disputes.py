"""Disputes, as tests and operators open and close them."""

import marshmallow as ma
from marshmallow import fields, validate
from service_kit.web.api import MakingSchema
from service_kit.web.strict_fields import UtcTime

from bank_simulator.commands.open_dispute import OpenDispute
from bank_simulator.schemas.network import MAX_AMOUNT_MINOR, id_field
from bank_simulator.values.vocabulary import DisputeReason, DisputeStatus


class OpenDisputeSchema(MakingSchema):
    """Which payment is contested, how much of it (absent: all that the merchant still has), and why.

    With a ``request_id`` the request can be repeated: it opens one dispute.
    """

    makes = OpenDispute

    request_id = id_field(required=False, metadata={"example": "contest_1"})
    original_request_id = id_field()
    amount_minor = fields.Integer(
        strict=True, validate=validate.Range(1, MAX_AMOUNT_MINOR), metadata={"example": 399998}
    )
    reason = fields.Enum(DisputeReason, by_value=True, load_default=DisputeReason.FRAUDULENT)


class DisputeSchema(ma.Schema):
    """A dispute; ``closed_at`` is null while it is open."""

    dispute_id = fields.String(required=True, metadata={"example": "dsp_01kaq3m5x0e8d7w2v9t4r6y1zn"})
    request_id = fields.String(required=True, allow_none=True)
    original_request_id = fields.String(required=True)
    amount_minor = fields.Integer(required=True)
    currency = fields.String(required=True, metadata={"example": "MAD"})
    reason = fields.Enum(DisputeReason, by_value=True, required=True)
    status = fields.Enum(DisputeStatus, by_value=True, required=True)
    opened_at = UtcTime(required=True, metadata={"example": "2026-11-21T09:00:00.123456Z"})
    closed_at = UtcTime(required=True, allow_none=True)
