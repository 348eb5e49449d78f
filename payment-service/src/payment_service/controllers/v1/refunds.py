"""``/v1/refunds``: captured money that goes back."""

from typing import Any

from flask import Response
from service_kit.web.api import Blueprint

from payment_service.commands.payments.refund_payment import RefundPayment, refund_payment
from payment_service.controllers.access import current_merchant_id, require_scope
from payment_service.controllers.idempotency import carry_out, idempotent
from payment_service.controllers.v1.answers import present_refund
from payment_service.controllers.v1.path_ids import REFUND_ID
from payment_service.queries.pagination import Page
from payment_service.queries.refunds import RefundOfPayment, get_refund, list_refunds
from payment_service.schemas.v1.movements import (
    RefundCreateSchema,
    RefundSchema,
    RefundsQuerySchema,
)
from payment_service.schemas.v1.pagination import list_schema

refunds = Blueprint(
    "refunds", "refunds", url_prefix="/v1/refunds", description="Captured money that goes back"
)


@refunds.post("")
@require_scope("refunds:write")
@idempotent
@refunds.arguments(RefundCreateSchema)
@refunds.response(201, RefundSchema)
@refunds.alt_response(202, schema=RefundSchema, description="Pending: the bank has not decided yet")
@refunds.problem(402, "The bank declined the refund; member `refund`")
@refunds.problem(404, "There is no such payment")
@refunds.problem(409, "Nothing was captured")
@refunds.problem(422, "It is more than can still be refunded; member `largest_amount`")
@refunds.problem(502, "Certainly not carried out, nothing went back; member `refund`")
def create(body: dict[str, Any]) -> Response:
    """Give money back, all or in parts; never more than was captured."""
    command = RefundPayment(current_merchant_id(), body["payment"], body["amount"], body["reason"])
    return carry_out(refund_payment, command, present_refund, body)


@refunds.get("")
@require_scope("payments:read")
@refunds.arguments(RefundsQuerySchema, location="query")
@refunds.response(200, list_schema(RefundSchema))
@refunds.problem(404, "There is no such payment")
def index(query: dict[str, Any]) -> Page[RefundOfPayment]:
    """List refunds, newest first."""
    return list_refunds(current_merchant_id(), **query)


@refunds.get("/<refund_id>", parameters=REFUND_ID)
@require_scope("payments:read")
@refunds.response(200, RefundSchema)
@refunds.problem(404, "There is no such refund")
def show(refund_id: str) -> RefundOfPayment:
    """Show one refund."""
    return get_refund(current_merchant_id(), refund_id)
