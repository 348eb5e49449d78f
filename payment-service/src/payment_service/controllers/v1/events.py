"""``/v1/events`` and ``/v1/payments/{id}/events``: what happened, for programs and for support."""

from typing import Any

from service_kit.web.api import Blueprint

from payment_service.commands.upkeep.give_positions import give_positions
from payment_service.controllers.access import current_merchant_id, require_scope
from payment_service.controllers.request import current_dependencies
from payment_service.controllers.v1.path_ids import PAYMENT_ID
from payment_service.domain.payments.references import MerchantPayment
from payment_service.domain.positions import EVENTS
from payment_service.models.payment import PaymentEvent
from payment_service.queries.events import list_events, list_events_of_payment
from payment_service.queries.pagination import Page
from payment_service.schemas.v1.events import EventQuerySchema, EventSchema, TimelineEntrySchema
from payment_service.schemas.v1.pagination import PageQuerySchema, list_schema

events = Blueprint("events", "events", url_prefix="/v1", description="What happened to payments")


@events.get("/events")
@require_scope("events:read")
@events.arguments(EventQuerySchema, location="query")
@events.response(200, list_schema(EventSchema))
@events.problem(400, "A filter or cursor that is none")
def show_events(query: dict[str, Any]) -> Page[PaymentEvent]:
    """List the events of all payments, newest first, as they were sealed."""
    give_positions(EVENTS, current_dependencies())
    return list_events(current_merchant_id(), **query)


@events.get("/payments/<payment_id>/events", parameters=PAYMENT_ID)
@require_scope("payments:read")
@events.arguments(PageQuerySchema, location="query")
@events.response(200, list_schema(TimelineEntrySchema))
@events.problem(400, "A cursor that is none")
@events.problem(404, "The merchant has no such payment")
def show_timeline(query: dict[str, Any], payment_id: str) -> Page[PaymentEvent]:
    """Tell the story of a payment, newest first: who did what, when and why, and what the bank answered."""
    return list_events_of_payment(MerchantPayment(current_merchant_id(), payment_id), query["page"])
