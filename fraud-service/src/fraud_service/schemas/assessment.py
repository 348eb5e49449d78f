"""Assessments as JSON."""

import ipaddress
import re
from typing import Any

import marshmallow as ma

from fraud_service.values.attempt import Attempt, Card
from fraud_service.values.vocabulary import Decision, ListKind, Subject

_ID = r"[A-Za-z0-9_.:-]{1,64}"
# Any text a person may have for a name, but no control characters.
_TEXT = r"[^\x00-\x1f\x7f-\x9f]{1,64}"
_LARGEST_AMOUNT = 10**15
_LONGEST_ADDRESS = 45


class _Matches(ma.validate.Validator):
    """The whole string matches; Python's ``$`` would let a final line feed pass."""

    def __init__(self, pattern: str, meaning: str) -> None:
        self._pattern = re.compile(pattern)
        self._meaning = meaning

    def __call__(self, value: str) -> str:
        if not self._pattern.fullmatch(value):
            raise ma.ValidationError(f"Must be {self._meaning}.")
        return value


def _text(pattern: str, meaning: str, example: str, description: str) -> ma.fields.String:
    return ma.fields.String(
        required=True,
        validate=_Matches(pattern, meaning),
        metadata={"pattern": f"^{pattern}$", "example": example, "description": description},
    )


def _id(example: str, description: str) -> ma.fields.String:
    return _text(_ID, "1 to 64 letters, digits or one of _ . : -", example, description)


def _free_text(example: str, description: str) -> ma.fields.String:
    return _text(_TEXT, "1 to 64 characters, none of them a control character", example, description)


def _check_address(value: str) -> str:
    """Accept an IPv4 or IPv6 address without a zone, which means nothing outside of one machine."""
    try:
        if len(value) > _LONGEST_ADDRESS or "%" in value:
            raise ValueError
        ipaddress.ip_address(value)
    except ValueError as exc:
        raise ma.ValidationError("Must be an IPv4 or IPv6 address.") from exc
    return value


class CardSchema(ma.Schema):
    """What the payment-service tells of a card."""

    fingerprint = _text(
        "[0-9a-f]{64}",
        "64 hexadecimal digits",
        "5f" * 32,
        "Keyed hash of the card number, the same each time",
    )
    bin = _text("[0-9]{6}", "6 digits", "400000", "First 6 digits of the card number")
    last4 = _text("[0-9]{4}", "4 digits", "0002", "Last 4 digits of the card number")

    @ma.post_load
    def make(self, data: dict[str, Any], **_kwargs: Any) -> Card:
        """Return the card."""
        return Card(**data)


class AssessmentRequestSchema(ma.Schema):
    """One attempt to pay."""

    attempt_id = _id("att_01k9example", "Names the attempt; the same id is judged only once")
    payment_id = _id("pay_01k9example", "The payment that this attempt is for")
    merchant_id = _id("mer_lab", "Whose customer pays")
    amount_minor = ma.fields.Integer(
        required=True,
        strict=True,
        validate=ma.validate.Range(1, _LARGEST_AMOUNT),
        metadata={"example": 399998, "description": "In the currency's smallest unit"},
    )
    currency = _text("[A-Z]{3}", "3 capital letters", "MAD", "ISO 4217")
    card = ma.fields.Nested(CardSchema, required=True)
    user_id = _free_text("1", "The merchant's own name for the customer")
    order_id = _free_text("1", "The merchant's own name for the order")
    client_ip = ma.fields.String(
        required=True,
        allow_none=True,
        validate=_check_address,
        metadata={"example": "203.0.113.7", "description": "Null unless the caller can trust it"},
    )

    @ma.post_load
    def make(self, data: dict[str, Any], **_kwargs: Any) -> Attempt:
        """Return the attempt."""
        return Attempt(**data)


class ReasonSchema(ma.Schema):
    """One finding of one rule."""

    rule = ma.fields.String(metadata={"example": "velocity_card"})
    detail = ma.fields.String(metadata={"example": "more than 10 attempts with this card within 600 s"})


class AssessmentSchema(ma.Schema):
    """The decision."""

    assessment_id = ma.fields.String(metadata={"example": "asm_01k9example"})
    attempt_id = ma.fields.String(metadata={"example": "att_01k9example"})
    decision = ma.fields.Enum(Decision, by_value=True, metadata={"example": "decline"})
    score = ma.fields.Integer(metadata={"minimum": 0, "maximum": 100, "example": 90})
    reasons = ma.fields.List(ma.fields.Nested(ReasonSchema))
    rules_version = ma.fields.String(metadata={"example": "2026-11-21"})
    assessed_at = ma.fields.String(metadata={"format": "date-time", "example": "2026-11-21T09:00:00.000000Z"})


class VelocityLimitSchema(ma.Schema):
    """A limit of attempts in a window."""

    attempts = ma.fields.Integer(metadata={"example": 10})
    window_s = ma.fields.Integer(metadata={"example": 600})


class ThresholdsSchema(ma.Schema):
    """The limits that were in force."""

    amount_minor = ma.fields.Dict(
        keys=ma.fields.String(), values=ma.fields.Integer(), metadata={"example": {"MAD": 10_000_000}}
    )
    velocity_card = ma.fields.Nested(VelocityLimitSchema)
    velocity_user = ma.fields.Nested(VelocityLimitSchema)
    velocity_ip = ma.fields.Nested(VelocityLimitSchema)


class CountersSchema(ma.Schema):
    """Attempts in each window, this one included, counted up to one more than the limit."""

    card = ma.fields.Integer(metadata={"example": 11})
    user = ma.fields.Integer(metadata={"example": 11})
    ip = ma.fields.Integer(
        allow_none=True, metadata={"example": None, "description": "Null without a trusted address"}
    )


class ListEntrySchema(ma.Schema):
    """An entry of a list as it was at that time."""

    kind = ma.fields.Enum(ListKind, by_value=True)
    subject = ma.fields.Enum(Subject, by_value=True)
    value = ma.fields.String()
    reason = ma.fields.String()
    created_at = ma.fields.String(metadata={"format": "date-time"})
    created_by = ma.fields.String()
    expires_at = ma.fields.String(allow_none=True, metadata={"format": "date-time"})


class ExplanationSchema(AssessmentSchema):
    """The decision with every input that was used for it."""

    request = ma.fields.Nested(AssessmentRequestSchema)
    counters = ma.fields.Nested(CountersSchema)
    thresholds = ma.fields.Nested(ThresholdsSchema)
    list_entries = ma.fields.List(ma.fields.Nested(ListEntrySchema))
