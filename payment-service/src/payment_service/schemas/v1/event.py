"""Events as JSON: as they were sealed, for programs."""

from typing import Any

import marshmallow as ma
from service_kit import strict_json

from payment_service.domain.outbox import EVENT_DESTINATIONS
from payment_service.models.payments.payment_event import PaymentEvent
from payment_service.queries.events import EventFilter
from payment_service.schemas.v1.pagination import CreatedQuerySchema, PublicId, list_schema


class EventQuerySchema(CreatedQuerySchema):
    """Which events are wanted."""

    type = ma.fields.String(
        load_default=None,
        validate=ma.validate.OneOf(sorted(EVENT_DESTINATIONS)),
        metadata={"description": "Only events of this type."},
    )
    payment = PublicId(load_default=None, metadata={"description": "Only events of this payment."})

    @ma.post_load
    def to_filter(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Gather what limits the list in one ``limits``."""
        names = ("type", "payment", "created_from", "created_to")
        limits = EventFilter(**{name: data.pop(name) for name in names})
        return {"limits": limits, **data}


class EventSchema(ma.Schema):
    """Something that happened to a payment; the shape of ``data`` is that of its type (docs/events)."""

    id = ma.fields.String(required=True, metadata={"example": "evt_01jd3v6z9gqz4y2t8n5r7c0b1a_3"})
    object = ma.fields.Constant("event", required=True)
    type = ma.fields.String(required=True, metadata={"example": "payment.completed"})
    version = ma.fields.Integer(
        required=True, metadata={"example": 1, "description": "Of the shape; 0 before there were versions."}
    )
    payment = ma.fields.String(required=True, metadata={"example": "pay_01jd3v6z9gqz4y2t8n5r7c0b1a"})
    sequence = ma.fields.Integer(
        required=True, metadata={"example": 3, "description": "Which event of its payment this is, from 1."}
    )
    at = ma.fields.String(
        required=True, metadata={"format": "date-time", "example": "2026-11-21T09:05:00.123456+00:00"}
    )
    actor = ma.fields.String(
        required=True,
        allow_none=True,
        metadata={"example": "api_client:cli_01jd3v6z9gqz4y2t8n5r7c0b1a", "description": "Who did it."},
    )
    data = ma.fields.Dict(keys=ma.fields.String(), required=True)

    @ma.pre_dump
    def of_row(self, event: PaymentEvent, **_: Any) -> dict[str, Any]:
        """Read the text that was sealed."""
        return read_event(event)


def read_event(event: PaymentEvent) -> dict[str, Any]:
    """Return the members of an event; those written before events had a version lack two."""
    return {"version": 0, "actor": None, **strict_json.loads(event.body.encode())}


EventListSchema = list_schema(EventSchema)
