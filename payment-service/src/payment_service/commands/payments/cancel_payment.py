"""Cancels a payment: at once where nothing was begun, otherwise once its provider confirmed it."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from payment_service.domain.idempotency_keys import StoredAnswer
from payment_service.domain.payments.claims import latest_attempt, lock_by_reference
from payment_service.domain.payments.locks import MovementReference
from payment_service.domain.payments.references import MerchantPayment
from payment_service.domain.settlement.closing import close_payment
from payment_service.errors import CancellationNotConfirmed
from payment_service.models.movement import PaymentAttempt, Void
from payment_service.processing.abandonment import abandon_attempt
from payment_service.processing.dependencies import Dependencies
from payment_service.processing.follow_up import carry_out_once
from payment_service.processing.idempotent import IdempotentOperation, PaymentRows
from payment_service.processing.sending import start_movement
from payment_service.values.statuses import VoidPurpose


@dataclass(frozen=True, slots=True)
class CancelPayment:
    """A merchant wants no money for this payment (any more)."""

    merchant_id: int
    payment_id: str
    reason: str | None


class _WaitsForCardholder(Exception):
    """Its attempt must be abandoned first; what the first transaction wrote is undone until then."""

    def __init__(self, attempt: PaymentAttempt) -> None:
        super().__init__(attempt.public_id)
        self.attempt = MovementReference.of(attempt)


def cancel_payment(
    command: CancelPayment, operation: IdempotentOperation, dependencies: Dependencies
) -> StoredAnswer:
    """Cancel at most once, and answer with the payment as it stands then.

    Of a payment that was captured in part, the rest is released, and it is complete.

    Raises:
        PaymentNotFound, WrongPaymentState, MovementOpen: nothing was begun.
        CancellationNotConfirmed: the bank did not say that the cardholder can no longer finish.
    """
    new = start_movement("void", operation.actor, dependencies)

    def begin(session: Session) -> Void | StoredAnswer:
        payment = lock_by_reference(session, MerchantPayment(command.merchant_id, command.payment_id))
        purpose, reason = VoidPurpose.CANCEL, command.reason
        to_end = close_payment(session, dependencies.policy, payment, purpose, reason, new)
        if isinstance(to_end, PaymentAttempt):
            raise _WaitsForCardholder(to_end)
        return to_end or operation.present(PaymentRows(payment, latest_attempt(session, payment)))

    try:
        return carry_out_once(Void, operation, begin, new, dependencies)
    except _WaitsForCardholder as waits:
        # Safe to repeat, so no key guards it: whoever dies here leaves a payment that can be cancelled.
        if not abandon_attempt(waits.attempt, dependencies, actor=operation.actor):
            raise CancellationNotConfirmed from None
    try:
        return carry_out_once(Void, operation, begin, new, dependencies)
    except _WaitsForCardholder:
        raise CancellationNotConfirmed from None
