"""Closes payments that nobody paid, approved, finished or captured in time."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog
from service_kit.clock import utc_now
from sqlalchemy import select
from sqlalchemy.orm import Session

from payment_service.domain.payments.events import JANITOR
from payment_service.domain.payments.locks import MovementReference, lock_payment
from payment_service.domain.payments.movements import NewMovement
from payment_service.domain.payments.transitions import HOLDING, PAYABLE
from payment_service.domain.settlement.closing import close_payment
from payment_service.domain.settlement.follow_ups import attempt_of
from payment_service.domain.settlement.settle import Settlement
from payment_service.errors import MovementOpen
from payment_service.extensions import db
from payment_service.models.movement import PaymentAttempt, Void
from payment_service.models.payment import Payment
from payment_service.processing.abandonment import abandon_attempt
from payment_service.processing.dependencies import Dependencies
from payment_service.processing.follow_up import carry_out
from payment_service.processing.sending import start_movement
from payment_service.values.statuses import MovementState, PaymentStatus, VoidPurpose

log = structlog.get_logger(__name__)

# State by state, so that each look goes along the index and begins with what is due longest.
EXPIRING = (*PAYABLE, PaymentStatus.REQUIRES_ACTION, PaymentStatus.IN_REVIEW, *HOLDING)
# A payment that cannot be ended now makes room for the others that are due.
TRY_AGAIN_AFTER = timedelta(minutes=1)


def expire_payments(dependencies: Dependencies, *, limit: int = 100) -> int:
    """End up to ``limit`` payments of each state that are due, and return how many.

    A payment with an open movement waits for its outcome. A hold, or an attempt that waits for its
    cardholder, ends at the provider first. One that fails is logged and comes again; the others go on.
    """
    now = utc_now()
    ended = 0
    for payment_id in _due(now, limit):
        try:
            ended += _expire(payment_id, now, dependencies)
        except Exception:
            # One broken payment must not keep all others open for ever.
            log.exception("expiry_failed", payment=payment_id)
    return ended


def _due(now: datetime, limit: int) -> Sequence[int]:
    due: list[int] = []
    with db.reading() as session:
        for status in EXPIRING:
            due += session.scalars(
                select(Payment.id)
                .where(Payment.status == status, Payment.expires_at <= now)
                .order_by(Payment.expires_at)
                .limit(limit)
            )
    return due


def _expire(payment_id: int, now: datetime, dependencies: Dependencies) -> bool:
    new = start_movement("void", JANITOR, dependencies)
    to_end = db.in_transaction(lambda session: _end(session, payment_id, new, now, dependencies))
    if isinstance(to_end, bool):
        return to_end
    if isinstance(to_end, MovementReference):

        def close_abandoned(session: Session, settled: Settlement[PaymentAttempt]) -> None:
            # What the cardholder can no longer finish; whatever else came of it is not over in time.
            if settled.movement.state == MovementState.ABANDONED and settled.payment.status in PAYABLE:
                close_payment(session, dependencies.policy, settled.payment, VoidPurpose.EXPIRY, None, new)

        return abandon_attempt(to_end, dependencies, actor=JANITOR, then=close_abandoned)
    return carry_out(
        *to_end,
        new,
        dependencies,
        lambda _session, settled, _: settled.movement.state == MovementState.APPROVED,
    )


def _end(
    session: Session, payment_id: int, new: NewMovement, now: datetime, dependencies: Dependencies
) -> MovementReference[PaymentAttempt] | tuple[Void, PaymentAttempt] | bool:
    """End it, and return whether it is over, or what a provider must end first."""
    payment = lock_payment(session, payment_id)
    if payment.status not in EXPIRING or payment.expires_at is None or payment.expires_at > now:
        return False
    try:
        to_end = close_payment(session, dependencies.policy, payment, VoidPurpose.EXPIRY, None, new)
    except MovementOpen:
        payment.expires_at = now + TRY_AGAIN_AFTER
        return False
    if isinstance(to_end, PaymentAttempt):
        payment.expires_at = now + TRY_AGAIN_AFTER
        return MovementReference.of(to_end)
    if to_end is None:
        return True
    return to_end, attempt_of(session, to_end)
