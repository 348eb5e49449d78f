"""``/v1/payments/{id}/cancel``: a payment that nobody wants any more."""

from typing import Any

from flask import Response
from service_kit.api import Blueprint

from payment_service.commands.follow_ups.cancel_payment import CancelPayment, cancel_payment
from payment_service.controllers.access import current_actor, current_merchant_id, require_scope
from payment_service.controllers.current import current_dependencies
from payment_service.controllers.idempotency import idempotent, idempotent_request, respond
from payment_service.controllers.v1.follow_up_answers import present_cancellation
from payment_service.schemas.v1.follow_ups import CancelSchema
from payment_service.schemas.v1.payment import PaymentSchema

cancellations = Blueprint(
    "cancellations", "cancellations", url_prefix="/v1/payments", description="Payments nobody wants any more"
)


@cancellations.post("/<payment_id>/cancel")
@require_scope("payments:write")
@idempotent
@cancellations.arguments(CancelSchema, required=False)
@cancellations.response(200, PaymentSchema)
@cancellations.alt_response(
    202, schema=PaymentSchema, description="The bank has not answered yet; look again"
)
@cancellations.problem(402, "The bank declined to release what it holds; member `payment`")
@cancellations.problem(404, "There is no such payment")
@cancellations.problem(409, "It is being processed, paid or over, or a movement must come to its end first")
@cancellations.problem(502, "Surely not carried out, or the bank did not confirm it; nothing changed")
def cancel(body: dict[str, Any], payment_id: str) -> Response:
    """Cancel it and release what is held; of what was captured in part, the rest, and it is complete."""
    command = CancelPayment(current_merchant_id(), payment_id, body["reason"], current_actor())
    return respond(
        cancel_payment(command, idempotent_request(body), present_cancellation, current_dependencies())
    )
