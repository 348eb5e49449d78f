"""Reads payments as the lab surface may see them."""

from dataclasses import dataclass

from sqlalchemy import select

from payment_service.errors import PaymentNotFound
from payment_service.extensions import db
from payment_service.models.merchants.merchant import Merchant
from payment_service.models.payments.payment import Payment
from payment_service.models.payments.payment_attempt import PaymentAttempt
from payment_service.values.statuses import AttemptKind, Surface


@dataclass(frozen=True, slots=True)
class PaymentWithContext:
    """A payment with its merchant and its latest sale, if one was tried."""

    payment: Payment
    merchant: Merchant
    attempt: PaymentAttempt | None


def get_payment(payment_id: int) -> Payment:
    """Return a payment that was created on the lab surface.

    Raises:
        PaymentNotFound: there is none with this id.
    """
    statement = select(Payment).where(Payment.id == payment_id, Payment.surface == Surface.LAB)
    with db.reading() as session:
        payment = session.scalar(statement)
    if payment is None:
        raise PaymentNotFound(str(payment_id))
    return payment


def get_payment_with_context(payment_id: int) -> PaymentWithContext:
    """Return a lab payment with everything that its page shows.

    Raises:
        PaymentNotFound: there is none with this id.
    """
    latest = (
        select(PaymentAttempt)
        .where(PaymentAttempt.payment_id == payment_id, PaymentAttempt.kind == AttemptKind.SALE)
        .order_by(PaymentAttempt.id.desc())
        .limit(1)
    )
    with db.reading() as session:
        row = session.execute(
            select(Payment, Merchant)
            .join(Merchant, Merchant.id == Payment.merchant_id)
            .where(Payment.id == payment_id, Payment.surface == Surface.LAB)
        ).one_or_none()
        if row is None:
            raise PaymentNotFound(str(payment_id))
        return PaymentWithContext(row[0], row[1], session.scalar(latest))
