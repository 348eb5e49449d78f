"""Outcomes as JSON."""

import marshmallow as ma
from service_kit.web.api import MakingSchema
from service_kit.web.strict_fields import UtcTime

from fraud_service.commands.store_outcomes import StoreOutcome
from fraud_service.schemas.fields import LARGEST_AMOUNT, id_text, text
from fraud_service.values.vocabulary import OutcomeKind

MAX_OUTCOMES = 100


class OutcomeSchema(MakingSchema):
    makes = StoreOutcome

    event_id = id_text("evt_01k9example_3", "Names the event; the same id is stored only once")
    kind = ma.fields.Enum(OutcomeKind, required=True, by_value=True, metadata={"example": "captured"})
    merchant_id = id_text("mer_lab", "Whose payment it is")
    payment_id = id_text("pay_01k9example", "The payment")
    attempt_id = id_text(
        "att_01k9example", "The attempt that took the money; null where it is not known", allow_none=True
    )
    card_fingerprint = text(
        "[0-9a-f]{64}",
        "64 hexadecimal digits",
        "5f" * 32,
        "Keyed hash of the card number, where the event has it",
        allow_none=True,
    )
    amount_minor = ma.fields.Integer(
        required=True,
        strict=True,
        allow_none=True,
        validate=ma.validate.Range(0, LARGEST_AMOUNT),
        metadata={"example": 399998, "description": "In the currency's smallest unit"},
    )
    currency = text("[A-Z]{3}", "3 capital letters", "MAD", "ISO 4217", allow_none=True)
    decline_code = ma.fields.String(
        load_default=None,
        allow_none=True,
        validate=ma.validate.Regexp(r"[\x20-\x7e]{1,40}\Z", error="Must be 1 to 40 printable characters."),
        metadata={"example": "incorrect_cvc", "description": "Of `declined`: why, in the bank's words"},
    )
    occurred_at = UtcTime(required=True, metadata={"example": "2026-11-21T09:05:00.000000+00:00"})


class OutcomeBatchSchema(ma.Schema):
    """Up to a hundred outcomes, in any order."""

    outcomes = ma.fields.List(
        ma.fields.Nested(OutcomeSchema), required=True, validate=ma.validate.Length(1, MAX_OUTCOMES)
    )


class OutcomesStoredSchema(ma.Schema):
    accepted = ma.fields.Integer(required=True, metadata={"example": 1})
