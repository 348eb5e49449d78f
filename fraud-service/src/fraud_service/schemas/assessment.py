"""Assessments as JSON."""

import ipaddress

import marshmallow as ma
from service_kit.web.api import MakingSchema

from fraud_service.schemas.fields import LARGEST_AMOUNT, free_text, id_text, text
from fraud_service.values.attempt import Attempt, Card
from fraud_service.values.vocabulary import Decision, ListKind, Subject

_LONGEST_ADDRESS = 45


def _check_address(value: str) -> str:
    """Accept an IPv4 or IPv6 address without a zone, which means nothing outside of one machine."""
    try:
        if len(value) > _LONGEST_ADDRESS or "%" in value:
            raise ValueError
        ipaddress.ip_address(value)
    except ValueError as exc:
        raise ma.ValidationError("Must be an IPv4 or IPv6 address.") from exc
    return value


class CardSchema(MakingSchema):
    makes = Card

    fingerprint = text(
        "[0-9a-f]{64}",
        "64 hexadecimal digits",
        "5f" * 32,
        "Keyed hash of the card number, the same each time",
    )
    bin = text("[0-9]{6}", "6 digits", "400000", "First 6 digits of the card number")
    last4 = text("[0-9]{4}", "4 digits", "0002", "Last 4 digits of the card number")


class AssessmentRequestSchema(MakingSchema):
    makes = Attempt

    attempt_id = id_text("att_01k9example", "Names the attempt; the same id is judged only once")
    payment_id = id_text("pay_01k9example", "The payment that this attempt is for")
    merchant_id = id_text("mer_lab", "Whose customer pays")
    amount_minor = ma.fields.Integer(
        required=True,
        strict=True,
        validate=ma.validate.Range(1, LARGEST_AMOUNT),
        metadata={"example": 399998, "description": "In the currency's smallest unit"},
    )
    currency = text("[A-Z]{3}", "3 capital letters", "MAD", "ISO 4217")
    card = ma.fields.Nested(CardSchema, required=True)
    user_id = free_text("1", "The merchant's own name for the customer")
    order_id = free_text("1", "The merchant's own name for the order")
    client_ip = ma.fields.String(
        required=True,
        allow_none=True,
        validate=_check_address,
        metadata={
            "anyOf": [{"format": "ipv4"}, {"format": "ipv6"}, {"type": "null"}],
            "example": "203.0.113.7",
            "description": "Null unless the caller can trust it",
        },
    )
    has_cvv = ma.fields.Boolean(
        load_default=True,
        truthy={True},
        falsy={False},
        metadata={"example": True, "description": "False where the payer is absent, as with a stored card"},
    )


class ReasonSchema(ma.Schema):
    rule = ma.fields.String(metadata={"example": "velocity_card"})
    detail = ma.fields.String(metadata={"example": "more than 10 attempts with this card within 600 s"})


class AssessmentSchema(ma.Schema):
    assessment_id = ma.fields.String(metadata={"example": "asm_01k9example"})
    attempt_id = ma.fields.String(metadata={"example": "att_01k9example"})
    decision = ma.fields.Enum(Decision, by_value=True, metadata={"example": "decline"})
    score = ma.fields.Integer(metadata={"minimum": 0, "maximum": 100, "example": 90})
    reasons = ma.fields.List(ma.fields.Nested(ReasonSchema))
    rules_version = ma.fields.String(metadata={"example": "2026-11-21"})
    assessed_at = ma.fields.String(metadata={"format": "date-time", "example": "2026-11-21T09:00:00.000000Z"})


class VelocityLimitSchema(ma.Schema):
    attempts = ma.fields.Integer(metadata={"example": 10})
    window_s = ma.fields.Integer(metadata={"example": 600})


class CardsLimitSchema(ma.Schema):
    cards = ma.fields.Integer(metadata={"example": 20})
    window_s = ma.fields.Integer(metadata={"example": 600})


class ThresholdsSchema(ma.Schema):
    amount_minor = ma.fields.Dict(
        keys=ma.fields.String(), values=ma.fields.Integer(), metadata={"example": {"MAD": 10_000_000}}
    )
    velocity_card = ma.fields.Nested(VelocityLimitSchema)
    velocity_user = ma.fields.Nested(VelocityLimitSchema)
    velocity_ip = ma.fields.Nested(VelocityLimitSchema)
    cards_ip = ma.fields.Nested(CardsLimitSchema)
    cards_bin = ma.fields.Nested(CardsLimitSchema)
    wrong_cvv = ma.fields.Nested(VelocityLimitSchema)


def _count(example: int | None, description: str, *, allow_none: bool = False) -> ma.fields.Integer:
    return ma.fields.Integer(allow_none=allow_none, metadata={"example": example, "description": description})


class CountersSchema(ma.Schema):
    """What is in each window, this attempt and its card included, counted up to one more than the limit."""

    card = ma.fields.Integer(metadata={"example": 11})
    user = ma.fields.Integer(metadata={"example": 11})
    ip = _count(None, "Attempts; null without a trusted address", allow_none=True)
    ip_cards = _count(None, "Cards from the address that did not pay; null without one", allow_none=True)
    ip_cards_paid = _count(
        None, "Cards from the address that paid, up to the limit; null without one", allow_none=True
    )
    bin_cards = _count(1, "Cards of the BIN that did not pay")
    bin_cards_paid = _count(0, "Cards of the BIN that paid, up to the limit")
    wrong_cvvs = _count(0, "Wrong codes with the card before this attempt, at all merchants")
    wrong_cvvs_here = _count(0, "Whether one of them was at this merchant, 0 or 1")


class ListEntrySchema(ma.Schema):
    kind = ma.fields.Enum(ListKind, by_value=True)
    subject = ma.fields.Enum(Subject, by_value=True)
    value = ma.fields.String()
    reason = ma.fields.String()
    created_at = ma.fields.String(metadata={"format": "date-time"})
    created_by = ma.fields.String()
    expires_at = ma.fields.String(allow_none=True, metadata={"format": "date-time"})


class ExplanationSchema(AssessmentSchema):
    request = ma.fields.Nested(AssessmentRequestSchema)
    counters = ma.fields.Nested(CountersSchema)
    thresholds = ma.fields.Nested(ThresholdsSchema)
    list_entries = ma.fields.List(ma.fields.Nested(ListEntrySchema))
