"""Decides about a payment that is held for review: a person approves it, or rejects it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from service_kit.clock import utc_now
from service_kit.deadlines import Deadline
from sqlalchemy.orm import Session

from payment_service.domain.idempotency_keys import StoredAnswer
from payment_service.domain.payments.claims import latest_attempt, lock_by_reference
from payment_service.domain.payments.locks import lock_attempt
from payment_service.domain.payments.references import MerchantPayment
from payment_service.domain.payments.transitions import change_attempt_state, change_status
from payment_service.domain.settlement.context import Scene
from payment_service.errors import ReviewCardMissing, WrongPaymentState
from payment_service.processing.charge import CardPayment, Charge
from payment_service.processing.dependencies import Dependencies
from payment_service.processing.pay_once import Begun, IdempotentOperation, pay_once
from payment_service.values.statuses import MovementState, PaymentStatus
from payment_service.vault.vault import Purpose


@dataclass(frozen=True, slots=True)
class ReviewPayment:
    """Somebody has looked at a held payment, and says why they decide as they do."""

    merchant_id: int
    payment_id: str
    reason: str
    actor: str


def approve_payment(
    command: ReviewPayment, keyed: IdempotentOperation, dependencies: Dependencies
) -> StoredAnswer:
    """Send the held attempt; of two who approve, one wins and the other is told.

    The payer is absent: it goes without 3-D Secure and without CVV, and a bank that insists declines.

    Raises:
        PaymentNotFound, WrongPaymentState: nothing was begun.
        ReviewCardMissing: the card that was kept for the review is gone.
    """
    now = utc_now()
    send_deadline = Deadline.after(dependencies.config.limits.send_within_s)

    def begin_payment(session: Session) -> Begun:
        scene = _lock_held(session, command, now, dependencies, "approved")
        payment, attempt = scene.payment, scene.attempt
        card = dependencies.vault.open(session, attempt.public_id, Purpose.REVIEW, payment.merchant_id)
        if card is None:
            raise ReviewCardMissing
        change_status(payment, PaymentStatus.PROCESSING)
        change_attempt_state(attempt, MovementState.SENDING)
        attempt.send_before = now + timedelta(seconds=dependencies.config.limits.send_within_s)
        # From now on the janitor asks about it, as about any attempt that was just sent.
        attempt.started_at = now
        attempt.next_ask_at = scene.rules.inquiries.next_ask_at(now, 0, now)
        scene.record("payment.review_approved", reason=command.reason)
        charge = Charge.of(payment, attempt, scene.merchant, CardPayment(card, command.actor), send_deadline)
        return Begun(payment, attempt, charge, is_judged=True)

    return pay_once(command.payment_id, keyed, begin_payment, dependencies, now)


def reject_payment(
    command: ReviewPayment, keyed: IdempotentOperation, dependencies: Dependencies
) -> StoredAnswer:
    """Cancel the held payment: nothing was charged, and the card that was kept is forgotten.

    Raises:
        PaymentNotFound, WrongPaymentState: nothing was begun.
    """
    now = utc_now()

    def begin_payment(session: Session) -> Begun:
        scene = _lock_held(session, command, now, dependencies, "rejected")
        scene.end(MovementState.NOT_SENT)
        change_status(scene.payment, PaymentStatus.CANCELLED)
        scene.payment.expires_at = None
        scene.record("payment.review_rejected", reason=command.reason)
        return Begun(scene.payment, scene.attempt)

    return pay_once(command.payment_id, keyed, begin_payment, dependencies, now)


def _lock_held(
    session: Session, command: ReviewPayment, now: datetime, dependencies: Dependencies, wish: str
) -> Scene:
    payment = lock_by_reference(session, MerchantPayment(command.merchant_id, command.payment_id))
    attempt = latest_attempt(session, payment)
    if payment.status != PaymentStatus.IN_REVIEW or attempt is None:
        raise WrongPaymentState(wish, payment.status)
    attempt = lock_attempt(session, attempt.id)
    return Scene(session, dependencies.settler.rules, payment, attempt, now, command.actor)
