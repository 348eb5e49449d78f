"""Takes all or part of what is held."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from payment_service.domain.idempotency_keys import StoredAnswer
from payment_service.domain.payments.claims import lock_by_reference
from payment_service.domain.payments.references import MerchantPayment
from payment_service.domain.settlement.captures import CaptureRequest, begin_capture
from payment_service.models.movement import Capture
from payment_service.processing.dependencies import Dependencies
from payment_service.processing.follow_up import carry_out_once
from payment_service.processing.idempotent import IdempotentOperation
from payment_service.processing.sending import start_movement


@dataclass(frozen=True, slots=True)
class CapturePayment:
    """A merchant takes money that it holds."""

    merchant_id: int
    payment_id: str
    request: CaptureRequest


def capture_payment(
    command: CapturePayment, operation: IdempotentOperation, dependencies: Dependencies
) -> StoredAnswer:
    """Capture at most once, and answer with the payment as it stands then.

    Raises:
        PaymentNotFound, WrongPaymentState, MovementOpen, AmountTooLarge: nothing was begun.
    """
    new = start_movement("cap", operation.actor, dependencies)

    def begin(session: Session) -> Capture:
        payment = lock_by_reference(session, MerchantPayment(command.merchant_id, command.payment_id))
        return begin_capture(session, dependencies.policy, payment, command.request, new)

    return carry_out_once(Capture, operation, begin, new, dependencies)
