"""Requests and answers of ``/internal/notifications``."""

from datetime import datetime
from typing import Any

import marshmallow as ma
from marshmallow import fields, validate
from service_kit.currencies import is_currency
from service_kit.web.strict_fields import UtcTime

from notification_service.commands.accept_notification import AcceptNotification
from notification_service.values.safe_text import is_single_line
from notification_service.values.vocabulary import MailLocale, NotificationStatus, NotificationType, Outcome

MAX_AMOUNT_MINOR = 10**15


def _single_line(text: str) -> None:
    if not text.strip() or not is_single_line(text):
        raise ma.ValidationError("Must be one line of text, without control characters.")


def _plausible_moment(moment: datetime) -> None:
    if not 2000 <= moment.year <= 2100:
        raise ma.ValidationError("Must be a moment between 2000 and 2100.")


def _known_currency(code: str) -> None:
    if not is_currency(code):
        raise ma.ValidationError("Must be an ISO 4217 currency code.")


def _text(max_length: int, **kwargs: Any) -> fields.String:
    return fields.String(validate=[validate.Length(1, max_length), _single_line], **kwargs)


class RecipientSchema(ma.Schema):
    """Whom to tell: the payer's own address, or the user for whom the lab makes one up."""

    email = _text(254, load_default=None, allow_none=True, metadata={"examples": ["payer@example.org", None]})
    user_id = _text(64, load_default=None, allow_none=True, metadata={"examples": ["1"]})


class MerchantSchema(ma.Schema):
    name = _text(200, required=True, metadata={"examples": ["Store Manager"]})


class CardSchema(ma.Schema):
    last4 = fields.String(
        required=True, validate=validate.Regexp(r"^[0-9]{4}(?!\n)$"), metadata={"examples": ["9999"]}
    )


class PaymentDataSchema(ma.Schema):
    payment_id = _text(64, required=True, metadata={"examples": ["3"]})
    order_id = _text(64, required=True, metadata={"examples": ["1"]})
    amount_minor = fields.Integer(
        required=True,
        strict=True,
        validate=validate.Range(1, MAX_AMOUNT_MINOR),
        metadata={"description": "In minor units of the currency.", "examples": [399998]},
    )
    currency = fields.String(
        required=True,
        validate=_known_currency,
        metadata={"description": "ISO 4217 code.", "examples": ["MAD"]},
    )
    occurred_at = UtcTime(
        required=True,
        validate=_plausible_moment,
        metadata={"examples": ["2026-11-21T09:05:00.000Z"]},
    )
    merchant = fields.Nested(MerchantSchema, required=True)
    card = fields.Nested(CardSchema, required=True)
    authorization_code = _text(64, load_default=None, allow_none=True, metadata={"examples": ["A1B2C3"]})

    @ma.post_load
    def store_moment_as_text(self, data: dict[str, Any], **_kwargs: Any) -> dict[str, Any]:
        """Write the moment in UTC, so that equal moments are equal requests."""
        return {**data, "occurred_at": data["occurred_at"].isoformat()}


class NotificationSchema(ma.Schema):
    event_id = fields.String(
        required=True,
        validate=validate.Regexp(r"^[A-Za-z0-9._-]{1,64}(?!\n)$"),
        metadata={"description": "The caller's idempotency key.", "examples": ["evt_01k9xv3w5n"]},
    )
    type = fields.Enum(NotificationType, by_value=True, required=True)
    locale = fields.Enum(MailLocale, by_value=True, required=True)
    recipient = fields.Nested(RecipientSchema, required=True)
    data = fields.Nested(PaymentDataSchema, required=True)

    @ma.post_load
    def make_command(self, data: dict[str, Any], **_kwargs: Any) -> AcceptNotification:
        recipient = data.pop("recipient")
        return AcceptNotification(email=recipient["email"], user_id=recipient["user_id"], **data)


class AcceptedSchema(ma.Schema):
    """The answer to an accepted notification; a repeated request gets the same."""

    notification_id = fields.String(metadata={"examples": ["ntf_01k9xv41c2"]})
    event_id = fields.String(metadata={"examples": ["evt_01k9xv3w5n"]})
    status = fields.Constant(NotificationStatus.QUEUED.value, metadata={"type": "string", "enum": ["queued"]})


class AttemptSchema(ma.Schema):
    number = fields.Integer()
    attempted_at = UtcTime()
    channel = fields.String(metadata={"examples": ["smtp"]})
    recipient = fields.String(metadata={"examples": ["payer@example.org"]})
    result = fields.String(validate=validate.OneOf([outcome.value for outcome in Outcome]))
    answer = fields.String(metadata={"examples": ["250 2.0.0 Ok: queued"]})


class NotificationStateSchema(ma.Schema):
    notification_id = fields.String(attribute="public_id")
    event_id = fields.String()
    type = fields.String()
    locale = fields.String()
    recipient = fields.String()
    status = fields.Enum(NotificationStatus, by_value=True, attribute="shown_status")
    accepted_at = UtcTime()
    sent_at = UtcTime(allow_none=True, attribute="done_at")
    next_attempt_at = UtcTime(
        allow_none=True, attribute="next_try_at", metadata={"description": "Null unless it is queued."}
    )
    attempts = fields.List(fields.Nested(AttemptSchema), attribute="tries")
