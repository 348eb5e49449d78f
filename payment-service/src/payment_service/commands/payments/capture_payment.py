"""Takes all or part of what is held."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from payment_service.domain.idempotency_keys import IdempotentRequest, StoredAnswer
from payment_service.domain.payments.claims import lock_by_reference
from payment_service.domain.payments.references import MerchantPayment
from payment_service.domain.settlement.captures import CaptureRequest, begin_capture
from payment_service.models.movement import Capture, PaymentAttempt
from payment_service.processing.dependencies import Dependencies
from payment_service.processing.follow_up import Begun, start_movement
from payment_service.processing.follow_up_once import Asked, Present, carry_out_once


@dataclass(frozen=True, slots=True)
class CapturePayment:
    """A merchant takes money that it holds; ``actor`` is who does it in its name."""

    merchant_id: int
    payment_id: str
    wish: CaptureRequest
    actor: str


def capture_payment(
    command: CapturePayment,
    request: IdempotentRequest,
    present: Present[Capture],
    dependencies: Dependencies,
) -> StoredAnswer:
    """Capture at most once, and answer with the payment as it stands then.

    Raises:
        PaymentNotFound, WrongPaymentState, MovementOpen, AmountTooLarge: nothing was begun.
    """
    start = start_movement("cap", command.actor, dependencies)
    reference = MerchantPayment(command.merchant_id, command.payment_id)

    def begin(session: Session) -> Begun[Capture]:
        payment = lock_by_reference(session, reference)
        capture = begin_capture(session, dependencies.settler.rules, payment, command.wish, start.new)
        return Begun(payment, session.get_one(PaymentAttempt, capture.attempt_id), capture)

    return carry_out_once(Asked(Capture, request, begin, present), start, dependencies)
