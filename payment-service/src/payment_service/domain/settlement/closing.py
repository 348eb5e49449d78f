"""Ending a payment that nobody will pay (any more): cancelled by somebody, or expired."""

from sqlalchemy.orm import Session

from payment_service.domain.payments.claims import latest_attempt
from payment_service.domain.payments.events import record_event
from payment_service.domain.payments.movements import NewMovement
from payment_service.domain.payments.transitions import HOLDING, PAYABLE, change_status
from payment_service.domain.settlement.context import SettlementContext, SettlementPolicy
from payment_service.domain.settlement.voids import CLOSED_AS, begin_void
from payment_service.errors import WrongPaymentState
from payment_service.models.movement import PaymentAttempt, Void
from payment_service.models.payment import Payment
from payment_service.values.statuses import MovementState, PaymentStatus, VoidPurpose


def close_payment(
    session: Session,
    policy: SettlementPolicy,
    payment: Payment,
    purpose: VoidPurpose,
    reason: str | None,
    new: NewMovement,
) -> Void | PaymentAttempt | None:
    """Close a locked payment if it can be closed at once; otherwise return what a provider must end first.

    That is a void, which was written down and releases what is held, or the attempt that waits for the
    cardholder and must be abandoned.

    Raises:
        WrongPaymentState: it is being processed, paid, or over already.
        MovementOpen: a capture or another void is under way.
    """
    if payment.status in HOLDING:
        return begin_void(session, policy, payment, purpose, reason, new)
    attempt = latest_attempt(session, payment)
    if payment.status == PaymentStatus.REQUIRES_ACTION:
        return attempt
    if payment.status == PaymentStatus.IN_REVIEW and attempt is not None:
        SettlementContext(session, policy, payment, attempt, new.started_at, new.actor).end(
            MovementState.NOT_SENT
        )
    elif payment.status not in PAYABLE:
        raise WrongPaymentState(CLOSED_AS[purpose], payment.status)
    change_status(payment, CLOSED_AS[purpose])
    payment.expires_at = None
    key, event_type, at = policy.event_key, f"payment.{payment.status}", new.started_at
    record_event(session, key, payment, event_type, at, {"reason": reason}, actor=new.actor)
    return None
