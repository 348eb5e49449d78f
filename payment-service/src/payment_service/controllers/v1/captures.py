"""``/v1/payments/{id}/capture``: taking what is held."""

from flask import Response
from service_kit.api import Blueprint

from payment_service.commands.follow_ups.capture_payment import CapturePayment, capture_payment
from payment_service.controllers.access import current_actor, current_merchant_id, require_scope
from payment_service.controllers.current import current_dependencies
from payment_service.controllers.idempotency import idempotent, idempotent_request, respond
from payment_service.controllers.v1.follow_up_answers import present_capture
from payment_service.domain.settlement.captures import CaptureWish
from payment_service.schemas.v1.follow_ups import CaptureSchema
from payment_service.schemas.v1.payment import PaymentSchema

captures = Blueprint(
    "captures", "captures", url_prefix="/v1/payments", description="Taking and releasing what is held"
)


@captures.post("/<payment_id>/capture")
@require_scope("payments:write")
@idempotent
@captures.arguments(CaptureSchema, required=False)
@captures.response(200, PaymentSchema)
@captures.alt_response(202, schema=PaymentSchema, description="The bank has not answered yet; look again")
@captures.problem(402, "The bank declined the capture; member `payment`")
@captures.problem(404, "There is no such payment")
@captures.problem(409, "Nothing is held, or another movement must come to its end first")
@captures.problem(422, "It is more than what is left of the hold; member `largest_amount`")
@captures.problem(502, "Surely not carried out, nothing was taken; member `payment`")
def capture(wish: CaptureWish, payment_id: str) -> Response:
    """Take all or part of what is held; several times until one is final."""
    command = CapturePayment(current_merchant_id(), payment_id, wish, current_actor())
    return respond(
        capture_payment(command, idempotent_request(wish), present_capture, current_dependencies())
    )
