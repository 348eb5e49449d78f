"""Events: what happened to a payment, in order, chained so that no line can be changed unseen."""

from datetime import datetime

from service_kit.columns import BigId, UtcDateTime, ascii_key
from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from payment_service.models.base import Base


class PaymentEvent(Base):
    """One event. ``body`` is the exact text that was hashed: a JSON column would re-order it."""

    __tablename__ = "payment_events"
    __table_args__ = (
        UniqueConstraint("payment_id", "sequence"),
        Index(None, "merchant_id", "created_at", "id"),
        Index(None, "merchant_id", "type", "created_at", "id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    public_id: Mapped[str] = mapped_column(ascii_key(64), unique=True)
    merchant_id: Mapped[int] = mapped_column(BigId, ForeignKey("merchants.id"))
    payment_id: Mapped[int] = mapped_column(BigId, ForeignKey("payments.id"))
    sequence: Mapped[int]
    type: Mapped[str] = mapped_column(String(40))
    body: Mapped[str] = mapped_column(Text)
    mac: Mapped[str] = mapped_column(ascii_key(64))
    key_id: Mapped[str] = mapped_column(String(16))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
