"""Requests and answers of ``/internal/events``."""

from typing import Any

import marshmallow as ma
from marshmallow import fields, validate
from service_kit.web import strict_json
from service_kit.web.strict_fields import UtcTime

from notification_service.commands.accept_events import AcceptEvent
from notification_service.schemas.told_payment import ToldPaymentSchema

MAX_EVENTS = 100
MAX_EVENT_BYTES = 65_535  # what its column holds, here and where it was written


def _name(pattern: str, example: str) -> fields.String:
    return fields.String(
        required=True, validate=validate.Regexp(rf"^{pattern}(?!\n)$"), metadata={"examples": [example]}
    )


class EventSchema(ma.Schema):
    """What every event has, whatever its type; docs/events describes each type whole."""

    id = _name("[A-Za-z0-9_]{1,64}", "evt_01k9example_3")
    type = _name("[a-z_]{1,20}[.][a-z_]{1,19}", "payment.completed")
    version = fields.Integer(
        required=True, strict=True, validate=validate.Range(1, 1000), metadata={"examples": [1]}
    )
    payment = _name("[A-Za-z0-9_]{1,64}", "pay_01k9example")
    sequence = fields.Integer(
        required=True, strict=True, validate=validate.Range(1, 2**31 - 1), metadata={"examples": [3]}
    )
    at = UtcTime(required=True, metadata={"examples": ["2026-11-21T09:05:00.000000+00:00"]})
    actor = fields.String(
        required=True, validate=validate.Length(1, 100), metadata={"examples": ["api_client:cli_01k9example"]}
    )
    data = fields.Dict(required=True, keys=fields.String(), metadata={"examples": [{"amount_minor": 399998}]})


class SentEventSchema(ma.Schema):
    merchant_id = _name("[A-Za-z0-9_]{1,64}", "mer_lab")
    event = fields.Nested(EventSchema, required=True)
    payment = fields.Nested(
        ToldPaymentSchema,
        load_default=None,
        allow_none=True,
        metadata={"description": "Where the payer is told of the event by e-mail."},
    )


class EventBatchSchema(ma.Schema):
    """Up to a hundred events, of any payments, in any order."""

    events = fields.List(
        fields.Nested(SentEventSchema), required=True, validate=validate.Length(1, MAX_EVENTS)
    )

    @ma.post_load(pass_original=True)
    def to_commands(self, data: dict[str, Any], original: dict[str, Any], **_: Any) -> list[AcceptEvent]:
        """Return the events, each with its text as it came."""
        return [
            AcceptEvent(
                event_id=sent["event"]["id"],
                merchant_id=sent["merchant_id"],
                payment_id=sent["event"]["payment"],
                type=sent["event"]["type"],
                occurred_at=sent["event"]["at"],
                body=_text_of(given["event"]),
                notification=sent["payment"],
            )
            for sent, given in zip(data["events"], original["events"], strict=True)
        ]


def _text_of(event: dict[str, Any]) -> str:
    text = strict_json.dumps(event)  # ASCII: as many bytes as characters
    if len(text) > MAX_EVENT_BYTES:
        raise ma.ValidationError(f"An event has at most {MAX_EVENT_BYTES} bytes.", "events")
    return text


class EventsAcceptedSchema(ma.Schema):
    accepted = fields.Integer(required=True, attribute="events", metadata={"examples": [1]})
