"""The capture of a sale: the bank took the money with its approval, and the books say so at once."""

from datetime import datetime

from sqlalchemy.orm import Session

from payment_service.domain.books.postings import post_capture
from payment_service.models.payments.capture import Capture
from payment_service.models.payments.payment import Payment
from payment_service.models.payments.payment_attempt import PaymentAttempt
from payment_service.values.statuses import MovementState


def capture_id_of_sale(attempt_id: str) -> str:
    """Return the public id of the capture that belongs to a sale's attempt."""
    return f"cap_{attempt_id.removeprefix('att_')}"


def record_sale_capture(session: Session, payment: Payment, attempt: PaymentAttempt, at: datetime) -> Capture:
    """Write the capture of an approved sale, the payment's sums and the posting; its lock is held."""
    capture = Capture(
        public_id=capture_id_of_sale(attempt.public_id),
        merchant_id=payment.merchant_id,
        payment_id=payment.id,
        attempt_id=attempt.id,
        state=MovementState.APPROVED,
        provider=attempt.provider,
        amount_minor=attempt.amount_minor,
        currency=attempt.currency,
        is_final=True,
        started_at=attempt.started_at,
        send_before=attempt.send_before,
        ended_at=at,
    )
    session.add(capture)
    payment.authorized_minor = attempt.amount_minor
    payment.captured_minor = attempt.amount_minor
    post_capture(session, payment, capture, at)
    return capture
