"""Cancels a payment: at once where nothing was begun, otherwise once its provider confirmed it."""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy.orm import Session

from payment_service.domain.idempotency_keys import IdempotentRequest, StoredAnswer
from payment_service.domain.payments.claims import latest_attempt, lock_by_reference
from payment_service.domain.payments.references import MerchantPayment
from payment_service.domain.settlement.closing import close_payment
from payment_service.errors import CancellationNotConfirmed
from payment_service.models.movement import PaymentAttempt, Void
from payment_service.models.payment import Payment
from payment_service.processing.abandonment import WaitingAttempt, abandon_attempt
from payment_service.processing.dependencies import Dependencies
from payment_service.processing.follow_up import Begun, Start, start_movement
from payment_service.processing.follow_up_once import Asked, carry_out_once
from payment_service.values.statuses import VoidPurpose

# A payment that nobody tried to pay has no attempt, and one of which nothing is held no void.
PresentCancellation = Callable[[Payment, PaymentAttempt | None, Void | None], StoredAnswer]


@dataclass(frozen=True, slots=True)
class CancelPayment:
    """A merchant wants no money for this payment (any more)."""

    merchant_id: int
    payment_id: str
    reason: str | None
    actor: str


class _WaitsForCardholder(Exception):
    """Its attempt must be abandoned first; what transaction 1 wrote is undone until then."""

    def __init__(self, attempt: WaitingAttempt) -> None:
        super().__init__(attempt.public_id)
        self.attempt = attempt


def cancel_payment(
    command: CancelPayment,
    request: IdempotentRequest,
    present: PresentCancellation,
    dependencies: Dependencies,
) -> StoredAnswer:
    """Cancel at most once, and answer with the payment as it stands then.

    Of a payment that was captured in part, the rest is released, and it is complete.

    Raises:
        PaymentNotFound, WrongPaymentState, MovementOpen: nothing was begun.
        CancellationNotConfirmed: the bank did not say that the cardholder can no longer finish.
    """
    start = start_movement("void", command.actor, dependencies)
    asked = Asked(
        Void, request, lambda session: _begin(session, command, start, present, dependencies), present
    )
    try:
        return carry_out_once(asked, start, dependencies)
    except _WaitsForCardholder as waits:
        # Safe to repeat, so no key guards it: whoever dies here leaves a payment that can be cancelled.
        if not abandon_attempt(waits.attempt, dependencies, actor=command.actor):
            raise CancellationNotConfirmed from None
    try:
        return carry_out_once(asked, start, dependencies)
    except _WaitsForCardholder:
        raise CancellationNotConfirmed from None


def _begin(
    session: Session,
    command: CancelPayment,
    start: Start,
    present: PresentCancellation,
    dependencies: Dependencies,
) -> Begun[Void] | StoredAnswer:
    payment = lock_by_reference(session, MerchantPayment(command.merchant_id, command.payment_id))
    to_end = close_payment(
        session,
        dependencies.settler.rules,
        payment,
        VoidPurpose.CANCEL,
        command.reason,
        start.new,
    )
    if isinstance(to_end, PaymentAttempt):
        raise _WaitsForCardholder(WaitingAttempt.of(to_end))
    if to_end is None:
        return present(payment, latest_attempt(session, payment), None)
    return Begun(payment, session.get_one(PaymentAttempt, to_end.attempt_id), to_end)
