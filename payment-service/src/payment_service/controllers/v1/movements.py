"""``/v1/payments/{id}/capture``, ``/cancel``, ``/approve`` and ``/reject``: what follows a payment."""

from typing import Any

from flask import Response
from service_kit.web.api import Blueprint

from payment_service.commands.payments.cancel_payment import CancelPayment, cancel_payment
from payment_service.commands.payments.capture_payment import CapturePayment, capture_payment
from payment_service.commands.payments.review_payment import ReviewPayment, approve_payment, reject_payment
from payment_service.controllers.access import current_merchant_id, require_scope
from payment_service.controllers.idempotency import carry_out, idempotent
from payment_service.controllers.v1.answers import present_follow_up, present_payment
from payment_service.controllers.v1.path_ids import PAYMENT_ID
from payment_service.domain.settlement.captures import CaptureRequest
from payment_service.schemas.v1.movements import CancelSchema, CaptureSchema
from payment_service.schemas.v1.payment import PaymentSchema
from payment_service.schemas.v1.payment_requests import ReviewSchema

captures = Blueprint(
    "captures", "captures", url_prefix="/v1/payments", description="Taking and releasing what is held"
)


@captures.post("/<payment_id>/capture", parameters=PAYMENT_ID)
@require_scope("payments:write")
@idempotent
@captures.arguments(CaptureSchema, required=False)
@captures.response(200, PaymentSchema)
@captures.alt_response(202, schema=PaymentSchema, description="The bank has not answered yet; look again")
@captures.problem(402, "The bank declined the capture; member `payment`")
@captures.problem(404, "There is no such payment")
@captures.problem(409, "Nothing is held, or another movement must come to its end first")
@captures.problem(422, "It is more than what is left of the hold; member `largest_amount`")
@captures.problem(502, "Certainly not carried out, nothing was taken; member `payment`")
def capture(body: CaptureRequest, payment_id: str) -> Response:
    """Take all or part of what is held; several times until one is final."""
    command = CapturePayment(current_merchant_id(), payment_id, body)
    return carry_out(capture_payment, command, present_follow_up, body)


cancellations = Blueprint(
    "cancellations", "cancellations", url_prefix="/v1/payments", description="Payments nobody wants any more"
)


@cancellations.post("/<payment_id>/cancel", parameters=PAYMENT_ID)
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
@cancellations.problem(502, "Certainly not carried out, or the bank did not confirm it; nothing changed")
def cancel(body: dict[str, Any], payment_id: str) -> Response:
    """Cancel it and release what is held; of what was captured in part, the rest, and it is complete."""
    command = CancelPayment(current_merchant_id(), payment_id, body["reason"])
    return carry_out(cancel_payment, command, present_follow_up, body)


reviews = Blueprint("reviews", "reviews", url_prefix="/v1/payments", description="Payments held for review")


@reviews.post("/<payment_id>/approve", parameters=PAYMENT_ID)
@require_scope("reviews:write")
@idempotent
@reviews.arguments(ReviewSchema)
@reviews.response(200, PaymentSchema)
@reviews.alt_response(202, schema=PaymentSchema, description="Its outcome is still open")
@reviews.problem(402, "The bank declined; member `payment`")
@reviews.problem(404, "There is no such payment")
@reviews.problem(409, "It is not held for review (any more)")
@reviews.problem(502, "Certainly not charged; member `payment`")
def approve(body: dict[str, Any], payment_id: str) -> Response:
    """Let it go on to the bank, without the payer: no 3-D Secure, no CVC."""
    command = ReviewPayment(current_merchant_id(), payment_id, body["reason"])
    return carry_out(approve_payment, command, present_payment, body)


@reviews.post("/<payment_id>/reject", parameters=PAYMENT_ID)
@require_scope("reviews:write")
@idempotent
@reviews.arguments(ReviewSchema)
@reviews.response(200, PaymentSchema)
@reviews.problem(404, "There is no such payment")
@reviews.problem(409, "It is not held for review (any more)")
def reject(body: dict[str, Any], payment_id: str) -> Response:
    """Cancel it; nothing was charged."""
    command = ReviewPayment(current_merchant_id(), payment_id, body["reason"])
    return carry_out(reject_payment, command, present_payment, body)
