"""Row locks, always in this order: payment, then attempt, so that no two of us dead-lock."""

from sqlalchemy import select
from sqlalchemy.orm import Session, load_only

from payment_service.models.payment import Payment
from payment_service.models.payment_attempt import PaymentAttempt

# What can change in a row; the rest was read when it was first met, and wide rows cost.
_PAYMENT_CHANGES = load_only(
    Payment.status,
    Payment.receipt_email,
    Payment.receipt_locale,
    Payment.event_count,
    Payment.event_head,
    Payment.expires_at,
    Payment.paid_at,
)
_ATTEMPT_CHANGES = load_only(
    PaymentAttempt.state,
    PaymentAttempt.fraud_decision,
    PaymentAttempt.fraud_reasons,
    PaymentAttempt.decline_code,
    PaymentAttempt.authorization_code,
    PaymentAttempt.last_error,
    PaymentAttempt.next_ask_at,
    PaymentAttempt.ask_count,
    PaymentAttempt.ended_at,
)


def lock_payment(session: Session, payment_id: int) -> Payment:
    """Lock a payment that is known to exist, and re-read what can have changed."""
    return session.scalars(
        select(Payment)
        .where(Payment.id == payment_id)
        .options(_PAYMENT_CHANGES)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()


def lock_attempt(session: Session, attempt_id: int) -> PaymentAttempt:
    """Lock an attempt that is known to exist, and re-read it likewise; its payment is locked already."""
    return session.scalars(
        select(PaymentAttempt)
        .where(PaymentAttempt.id == attempt_id)
        .options(_ATTEMPT_CHANGES)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()
