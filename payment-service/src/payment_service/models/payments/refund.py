"""Refunds: captured money that goes back to the cardholder."""

from service_kit.columns import BigId
from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from payment_service.models.base import Base
from payment_service.models.payments.movement import Movement


class Refund(Movement, Base):
    """All or part of what the attempt ``attempt_id`` took, given back because of ``reason``."""

    __tablename__ = "refunds"
    __table_args__ = (
        Index(None, "next_ask_at"),
        Index(None, "payment_id", "id"),
        Index(None, "merchant_id", "id"),
    )

    attempt_id: Mapped[int] = mapped_column(BigId, ForeignKey("payment_attempts.id"))
    reason: Mapped[str | None] = mapped_column(String(500))
