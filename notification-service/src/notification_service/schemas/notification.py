"""Answers of ``/internal/notifications``."""

import marshmallow as ma
from marshmallow import fields, validate
from service_kit.web.strict_fields import UtcTime

from notification_service.values.vocabulary import NotificationStatus, Outcome


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
