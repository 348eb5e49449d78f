"""Disputes: captured money that the cardholder wants back through their bank."""

from datetime import datetime

from service_kit.db.columns import BigId, UtcDateTime, ascii_key, enum_column
from sqlalchemy import BigInteger, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from payment_service.models.base import Base
from payment_service.values.money import Money
from payment_service.values.statuses import DisputeStatus


class Dispute(Base):
    """One dispute, as its provider knows it by ``provider_dispute_id``; see DisputeStatus.

    It is about what ``movement`` took (the public id of an attempt or capture of ours).
    ``payment_public_id`` never changes, and is here so that lists need no join.
    """

    __tablename__ = "disputes"
    __table_args__ = (
        UniqueConstraint("provider", "provider_dispute_id"),
        Index(None, "merchant_id", "id"),
        Index(None, "merchant_id", "status", "id"),
        Index(None, "payment_public_id", "id"),
        Index(None, "payment_id", "id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    public_id: Mapped[str] = mapped_column(ascii_key(64), unique=True)
    merchant_id: Mapped[int] = mapped_column(BigId, ForeignKey("merchants.id"))
    payment_id: Mapped[int] = mapped_column(BigId, ForeignKey("payments.id"))
    payment_public_id: Mapped[str] = mapped_column(ascii_key(64))
    movement: Mapped[str] = mapped_column(ascii_key(64))
    provider: Mapped[str] = mapped_column(String(32))
    provider_dispute_id: Mapped[str] = mapped_column(ascii_key(64))
    status: Mapped[DisputeStatus] = mapped_column(enum_column(DisputeStatus, 8))
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    reason: Mapped[str | None] = mapped_column(String(100))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    @property
    def amount(self) -> Money:
        """What is disputed."""
        return Money(self.amount_minor, self.currency)
