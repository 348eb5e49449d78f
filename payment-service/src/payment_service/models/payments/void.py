"""Voids: what is still held goes back to the cardholder."""

from service_kit.columns import BigId
from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from payment_service.models.base import Base
from payment_service.models.payments.movement import Movement


class Void(Movement, Base):
    """The end of the hold of ``attempt_id``; ``amount_minor`` is what was still held. See VoidPurpose."""

    __tablename__ = "voids"
    __table_args__ = (Index(None, "next_ask_at"), Index(None, "payment_id", "id"))

    attempt_id: Mapped[int] = mapped_column(BigId, ForeignKey("payment_attempts.id"))
    purpose: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str | None] = mapped_column(String(500))
