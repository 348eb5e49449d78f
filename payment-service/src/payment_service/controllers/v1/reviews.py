"""``/v1/payments/{id}/approve`` and ``/reject``: a person decides about a payment that is held."""

from typing import Any

from flask import Response
from service_kit.api import Blueprint

from payment_service.commands.payments.pay_once import Keyed
from payment_service.commands.payments.review_payment import ReviewPayment, approve_payment, reject_payment
from payment_service.controllers.access import current_actor, current_merchant_id, require_scope
from payment_service.controllers.current import current_dependencies
from payment_service.controllers.idempotency import idempotent, idempotent_request, respond
from payment_service.controllers.v1.answers import present_payment
from payment_service.schemas.v1.payment import PaymentSchema
from payment_service.schemas.v1.payment_requests import ReviewSchema

reviews = Blueprint("reviews", "reviews", url_prefix="/v1/payments", description="Payments held for review")


@reviews.post("/<payment_id>/approve")
@require_scope("reviews:write")
@idempotent
@reviews.arguments(ReviewSchema)
@reviews.response(200, PaymentSchema)
@reviews.alt_response(202, schema=PaymentSchema, description="Its outcome is still open")
@reviews.problem(402, "The bank declined; member `payment`")
@reviews.problem(404, "There is no such payment")
@reviews.problem(409, "It is not held for review (any more)")
@reviews.problem(502, "Surely not charged; member `payment`")
def approve(body: dict[str, Any], payment_id: str) -> Response:
    """Let it go on to the bank, without the payer: no 3-D Secure, no CVC."""
    command = ReviewPayment(current_merchant_id(), payment_id, body["reason"], current_actor())
    keyed = Keyed(idempotent_request(body), present_payment)
    return respond(approve_payment(command, keyed, current_dependencies()))


@reviews.post("/<payment_id>/reject")
@require_scope("reviews:write")
@idempotent
@reviews.arguments(ReviewSchema)
@reviews.response(200, PaymentSchema)
@reviews.problem(404, "There is no such payment")
@reviews.problem(409, "It is not held for review (any more)")
def reject(body: dict[str, Any], payment_id: str) -> Response:
    """Cancel it; nothing was charged."""
    command = ReviewPayment(current_merchant_id(), payment_id, body["reason"], current_actor())
    keyed = Keyed(idempotent_request(body), present_payment)
    return respond(reject_payment(command, keyed, current_dependencies()))
