"""Payments: what somebody owes for an order, and whether it was paid."""

from datetime import datetime

from service_kit.columns import BigId, UtcDateTime, ascii_key
from sqlalchemy import BigInteger, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from payment_service.models.base import Base
from payment_service.values.money import Money
from payment_service.values.statuses import PaymentStatus, Surface


class Payment(Base):
    """One payment. Its row is the lock under which everything about it is decided.

    ``id`` is the integer that the lab surface shows; ``expires_at`` is empty where it never expires.
    ``event_count`` and ``event_head`` close the chain of its events.
    """

    __tablename__ = "payments"
    __table_args__ = (Index(None, "status", "expires_at"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    public_id: Mapped[str] = mapped_column(ascii_key(64), unique=True)
    merchant_id: Mapped[int] = mapped_column(BigId, ForeignKey("merchants.id"))
    surface: Mapped[str] = mapped_column(String(16), default=Surface.LAB)
    order_id: Mapped[str] = mapped_column(String(64))
    user_id: Mapped[str] = mapped_column(String(64))
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    status: Mapped[str] = mapped_column(String(24))
    receipt_email: Mapped[str | None] = mapped_column(String(254))
    receipt_locale: Mapped[str] = mapped_column(String(8), default="fr")
    event_count: Mapped[int] = mapped_column(default=0)
    event_head: Mapped[str] = mapped_column(ascii_key(64), default="")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    paid_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    @property
    def amount(self) -> Money:
        """What is owed."""
        return Money(self.amount_minor, self.currency)

    @property
    def is_paid(self) -> bool:
        """Whether the money was taken."""
        return self.status == PaymentStatus.COMPLETED
