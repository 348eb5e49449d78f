"""Row locks, always in this order: payment, then movement (rule 11)."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from payment_service.models.payment import Payment
from payment_service.models.payment_attempt import PaymentAttempt


def lock_payment(session: Session, payment_id: int) -> Payment:
    """Lock and re-read a payment that is known to exist."""
    return session.scalars(
        select(Payment)
        .where(Payment.id == payment_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()


def lock_attempt(session: Session, attempt_id: int) -> PaymentAttempt:
    """Lock and re-read an attempt that is known to exist; its payment is locked already."""
    return session.scalars(
        select(PaymentAttempt)
        .where(PaymentAttempt.id == attempt_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()
