"""``/v1/disputes``: what cardholders want back through their banks."""

from typing import Any

from service_kit.web.api import Blueprint

from payment_service.controllers.access import current_merchant_id, require_scope
from payment_service.controllers.v1.path_ids import DISPUTE_ID
from payment_service.models.dispute import Dispute
from payment_service.queries.disputes import get_dispute, list_disputes
from payment_service.queries.pagination import Page
from payment_service.schemas.v1.dispute import DisputeQuerySchema, DisputeSchema
from payment_service.schemas.v1.pagination import list_schema

disputes = Blueprint(
    "disputes",
    "disputes",
    url_prefix="/v1/disputes",
    description="Captured money that cardholders want back through their banks",
)


@disputes.get("")
@require_scope("payments:read")
@disputes.arguments(DisputeQuerySchema, location="query")
@disputes.response(200, list_schema(DisputeSchema))
@disputes.problem(400, "A filter or cursor that is none")
def show_disputes(query: dict[str, Any]) -> Page[Dispute]:
    """List disputes, newest first."""
    return list_disputes(current_merchant_id(), **query)


@disputes.get("/<dispute_id>", parameters=DISPUTE_ID)
@require_scope("payments:read")
@disputes.response(200, DisputeSchema)
@disputes.problem(404, "The merchant has no such dispute")
def show_dispute(dispute_id: str) -> Dispute:
    """Show one dispute."""
    return get_dispute(current_merchant_id(), dispute_id)
