"""How much there is to go through, for whoever shows progress."""

from sqlalchemy import func, select

from payment_service.extensions import db
from payment_service.models.books.ledger_entry import LedgerEntry
from payment_service.models.payments.payment import Payment
from payment_service.models.payments.payment_attempt import PaymentAttempt


def newest_payment() -> int:
    """Return the largest id of a payment, 0 without any."""
    with db.reading() as session:
        return session.scalar(select(func.max(Payment.id))) or 0


def newest_entry() -> int:
    """Return the largest id of an entry, 0 without any."""
    with db.reading() as session:
        return session.scalar(select(func.max(LedgerEntry.id))) or 0


def count_attempts(merchant_id: int) -> int:
    """Return how many attempts a merchant has: about as many movements as its bank can have."""
    with db.reading() as session:
        statement = select(func.count()).select_from(PaymentAttempt)
        return session.scalar(statement.where(PaymentAttempt.merchant_id == merchant_id)) or 0
