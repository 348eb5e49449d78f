"""Captures: money that was taken, of a hold or by a sale."""

from service_kit.columns import BigId
from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from payment_service.models.base import Base
from payment_service.models.payments.movement import Movement


class Capture(Movement, Base):
    """All or part of what ``attempt_id`` may take. A sale writes its own, approved at once."""

    __tablename__ = "captures"
    __table_args__ = (Index(None, "next_ask_at"), Index(None, "payment_id", "id"))

    attempt_id: Mapped[int] = mapped_column(BigId, ForeignKey("payment_attempts.id"))
    is_final: Mapped[bool]
