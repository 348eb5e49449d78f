"""What was found when the books were added up again."""

from collections.abc import Callable
from dataclasses import dataclass, field

from sqlalchemy import func, select

from payment_service.extensions import db
from payment_service.models.ledger import LedgerEntry
from payment_service.models.movement import PaymentAttempt
from payment_service.models.payment import Payment

Advance = Callable[[int], object]


@dataclass
class Findings:
    """``differences`` must not be, ``in_flight`` is to come, ``notes`` say what was not compared."""

    differences: list[str] = field(default_factory=list)
    in_flight: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def newest_payment() -> int:
    with db.reading() as session:
        return session.scalar(select(func.max(Payment.id))) or 0


def newest_entry() -> int:
    with db.reading() as session:
        return session.scalar(select(func.max(LedgerEntry.id))) or 0


def count_attempts(merchant_id: int) -> int:
    with db.reading() as session:
        statement = select(func.count()).select_from(PaymentAttempt)
        return session.scalar(statement.where(PaymentAttempt.merchant_id == merchant_id)) or 0
