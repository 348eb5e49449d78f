"""What the merchant's side has still to be told."""

from service_kit.db.columns import ascii_key, enum_column
from service_kit.jobs.queue import LeasedRow
from sqlalchemy import Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from bank_simulator.models.base import Base
from bank_simulator.values.vocabulary import EventType


class WebhookEvent(LeasedRow, Base):
    """One event; ``event_id`` is its webhook-id, ``body`` the text that is signed and sent."""

    __tablename__ = "webhook_events"
    __table_args__ = (Index(None, "queue", "status", "next_attempt_at"),)

    event_id: Mapped[str] = mapped_column(ascii_key(64), unique=True)
    event_type: Mapped[EventType] = mapped_column(enum_column(EventType, 32))
    body: Mapped[str] = mapped_column(Text)
