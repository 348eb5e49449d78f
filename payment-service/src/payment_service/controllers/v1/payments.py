"""``/v1/payments``: what merchants want to be paid."""

from typing import Any

from flask import Response
from service_kit.web.api import Blueprint

from payment_service.commands.payments.confirm_payment import ConfirmPayment, confirm_payment
from payment_service.commands.payments.create_merchant_payment import (
    CreateMerchantPayment,
    create_merchant_payment,
)
from payment_service.controllers.access import current_merchant_id, require_scope
from payment_service.controllers.idempotency import carry_out, idempotent
from payment_service.controllers.v1.answers import present_created, present_payment, view_of
from payment_service.controllers.v1.path_ids import PAYMENT_ID
from payment_service.domain.payments.references import MerchantPayment
from payment_service.queries.pagination import Page
from payment_service.queries.payments import get_payment_of_merchant, list_payments
from payment_service.schemas.v1.pagination import list_schema
from payment_service.schemas.v1.payment import PaymentSchema
from payment_service.schemas.v1.payment_requests import (
    ConfirmSchema,
    PaymentCreateSchema,
    PaymentsQuerySchema,
)
from payment_service.schemas.v1.payment_view import PaymentView
from payment_service.values.cards import CardData

payments = Blueprint("payments", "payments", url_prefix="/v1/payments", description="Payments")


@payments.post("")
@require_scope("payments:write")
@idempotent
@payments.arguments(PaymentCreateSchema)
@payments.response(201, PaymentSchema)
@payments.alt_response(202, schema=PaymentSchema, description="With confirm: its outcome is still open")
@payments.problem(402, "With confirm: the bank declined; member `payment`, which can be confirmed again")
@payments.problem(422, "With confirm: our checks refused it (member `payment`), or no such stored card")
@payments.problem(502, "With confirm: certainly not charged; member `payment`, which can be confirmed again")
def create(body: dict[str, Any]) -> Response:
    """Create a payment; with `confirm: true` it is paid in the same request."""
    command = CreateMerchantPayment(current_merchant_id(), **body)
    return carry_out(create_merchant_payment, command, present_created, body)


@payments.post("/<payment_id>/confirm", parameters=PAYMENT_ID)
@require_scope("payments:write")
@idempotent
@payments.arguments(ConfirmSchema)
@payments.response(200, PaymentSchema)
@payments.alt_response(202, schema=PaymentSchema, description="Its outcome is still open")
@payments.problem(402, "The bank declined; member `payment`, which can be confirmed again")
@payments.problem(404, "There is no such payment")
@payments.problem(
    409, "It is not in a state that can be confirmed, or another request is still at work on it"
)
@payments.problem(422, "Our checks refused it (member `payment`), or no such stored card")
@payments.problem(502, "Certainly not charged; member `payment`, which can be confirmed again")
def confirm(body: CardData | str, payment_id: str) -> Response:
    """Pay it with a card, or with one that is stored; beside another request, wait for what that brings."""
    command = ConfirmPayment(current_merchant_id(), payment_id, body)
    return carry_out(confirm_payment, command, present_payment, body)


@payments.get("/<payment_id>", parameters=PAYMENT_ID)
@require_scope("payments:read")
@payments.response(200, PaymentSchema)
@payments.problem(404, "There is no such payment")
def show(payment_id: str) -> PaymentView:
    """Show a payment."""
    return view_of(*get_payment_of_merchant(MerchantPayment(current_merchant_id(), payment_id)))


@payments.get("")
@require_scope("payments:read")
@payments.arguments(PaymentsQuerySchema, location="query")
@payments.response(200, list_schema(PaymentSchema))
def index(query: dict[str, Any]) -> Page[PaymentView]:
    """List payments, newest first."""
    found = list_payments(current_merchant_id(), **query)
    return Page([view_of(*each) for each in found.rows], found.has_more)
