"""The outbox: what others must be told, stored in the transaction that decided it."""

from service_kit.columns import BigId, ascii_key
from service_kit.leased_queue import LeasedRow
from sqlalchemy import ForeignKey, Index, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from payment_service.models.base import Base


class OutboxMessage(LeasedRow, Base):
    """One message to one destination (its ``queue``); unique per destination and event.

    ``payload`` is what is sent; empty where that is the event itself.
    """

    __tablename__ = "outbox_messages"
    __table_args__ = (
        UniqueConstraint("queue", "event_id"),
        Index(None, "queue", "status", "next_attempt_at"),
    )

    merchant_id: Mapped[int] = mapped_column(BigId, ForeignKey("merchants.id"))
    event_id: Mapped[str] = mapped_column(ascii_key(64))
    payload: Mapped[str] = mapped_column(Text)
