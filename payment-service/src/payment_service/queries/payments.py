"""Reads payments as the lab surface and the payment page may see them."""

from dataclasses import dataclass

from sqlalchemy import select

from payment_service.domain.payments.claims import latest_attempt
from payment_service.domain.payments.references import PaymentReference
from payment_service.errors import PaymentNotFound
from payment_service.extensions import db
from payment_service.models.merchants.merchant import Merchant
from payment_service.models.payments.payment import Payment
from payment_service.models.payments.payment_attempt import PaymentAttempt
from payment_service.values.statuses import Surface


@dataclass(frozen=True, slots=True)
class PaymentWithContext:
    """A payment with its merchant and the last try to pay it, if there was one."""

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


def get_payment_with_context(reference: PaymentReference) -> PaymentWithContext:
    """Return a payment with everything that its page shows.

    Raises:
        PaymentNotFound: there is none for whoever asks.
    """
    with db.reading() as session:
        row = session.execute(
            select(Payment, Merchant)
            .join(Merchant, Merchant.id == Payment.merchant_id)
            .where(reference.condition())
        ).one_or_none()
        if row is None:
            raise reference.not_found()
        return PaymentWithContext(row[0], row[1], latest_attempt(session, row[0]))


def get_returned_attempt(return_token: str) -> PaymentAttempt:
    """Return the attempt of which a browser comes back from its bank.

    Raises:
        PaymentNotFound: no attempt has this token.
    """
    statement = select(PaymentAttempt).where(PaymentAttempt.return_token == return_token)
    with db.reading() as session:
        attempt = session.scalar(statement)
    if attempt is None:
        raise PaymentNotFound("checkout")
    return attempt
