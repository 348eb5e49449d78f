"""Decides about a payment that is held for review: a person approves it, or rejects it."""

from dataclasses import dataclass
from datetime import datetime

from service_kit.clock import utc_now
from sqlalchemy.orm import Session

from payment_service.domain.idempotency_keys import StoredAnswer
from payment_service.domain.payments.claims import latest_attempt, lock_by_reference
from payment_service.domain.payments.locks import MovementReference, lock_movement
from payment_service.domain.payments.references import MerchantPayment
from payment_service.domain.payments.transitions import change_state, change_status
from payment_service.domain.settlement.context import SettlementContext
from payment_service.errors import ReviewCardMissing, WrongPaymentState
from payment_service.models.movement import PaymentAttempt
from payment_service.processing.charge import CardPayment, charge_of, send_charge
from payment_service.processing.dependencies import Dependencies
from payment_service.processing.idempotent import (
    IdempotentOperation,
    PaymentRows,
    StartedMovement,
    find_payment,
    run_idempotent,
)
from payment_service.processing.sending import start_movement
from payment_service.providers.port import ThreeDSecure
from payment_service.values.statuses import MovementState, PaymentStatus
from payment_service.vault.vault import Purpose


@dataclass(frozen=True, slots=True)
class ReviewPayment:
    """Somebody has looked at a held payment, and says why they decide as they do."""

    merchant_id: int
    payment_id: str
    reason: str


def approve_payment(
    command: ReviewPayment, operation: IdempotentOperation, dependencies: Dependencies
) -> StoredAnswer:
    """Send the held attempt; of two who approve, one wins and the other is told.

    The payer is absent: it goes without 3-D Secure and without CVV, and a bank that insists declines.

    Raises:
        PaymentNotFound, WrongPaymentState: nothing was begun.
        ReviewCardMissing: the card that was kept for the review is gone.
    """
    # The attempt is the one that was held; only its moments are new.
    new = start_movement("att", operation.actor, dependencies)

    def begin(session: Session) -> StartedMovement:
        context = _lock_held(session, command, operation.actor, new.started_at, dependencies, "approved")
        payment, attempt = context.payment, context.movement
        card = dependencies.vault.open(session, attempt.public_id, Purpose.REVIEW, payment.merchant_id)
        if card is None:
            raise ReviewCardMissing
        change_status(payment, PaymentStatus.PROCESSING)
        change_state(attempt, MovementState.SENDING)
        # From now on the janitor asks about it, as about any attempt that was just sent.
        attempt.started_at, attempt.send_before = new.started_at, new.send_before
        attempt.next_ask_at = new.next_ask_at
        context.record("payment.review_approved", reason=command.reason)
        paid_with = CardPayment(card, operation.actor)
        charge = charge_of(session, payment, attempt, paid_with, new, dependencies)
        return StartedMovement(
            PaymentRows(payment, attempt),
            lambda tell: send_charge(charge, ThreeDSecure.NONE, dependencies, tell),
        )

    find = find_payment(command.merchant_id)
    return run_idempotent(operation, command.payment_id, begin, find, dependencies)


def reject_payment(
    command: ReviewPayment, operation: IdempotentOperation, dependencies: Dependencies
) -> StoredAnswer:
    """Cancel the held payment: nothing was charged, and the card that was kept is forgotten.

    Raises:
        PaymentNotFound, WrongPaymentState: nothing was begun.
    """
    now = utc_now()

    def begin(session: Session) -> StoredAnswer:
        context = _lock_held(session, command, operation.actor, now, dependencies, "rejected")
        context.end(MovementState.NOT_SENT)
        change_status(context.payment, PaymentStatus.CANCELLED)
        context.payment.expires_at = None
        context.record("payment.review_rejected", reason=command.reason)
        return operation.present(PaymentRows(context.payment, context.movement))

    find = find_payment(command.merchant_id)
    return run_idempotent(operation, command.payment_id, begin, find, dependencies)


def _lock_held(
    session: Session,
    command: ReviewPayment,
    actor: str,
    now: datetime,
    dependencies: Dependencies,
    action: str,
) -> SettlementContext[PaymentAttempt]:
    payment = lock_by_reference(session, MerchantPayment(command.merchant_id, command.payment_id))
    latest = latest_attempt(session, payment)
    if payment.status != PaymentStatus.IN_REVIEW or latest is None:
        raise WrongPaymentState(action, payment.status)
    payment, attempt = lock_movement(session, MovementReference.of(latest))
    return SettlementContext(session, dependencies.policy, payment, attempt, now, actor)
