"""The inbox: what providers told us of their own accord, stored before they are thanked for it."""

from service_kit.columns import ascii_key
from service_kit.leased_queue import LeasedRow
from sqlalchemy import Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from payment_service.models.base import Base


class InboxMessage(LeasedRow, Base):
    """One event of one provider (its ``queue``); unique by the provider's id of the event.

    ``body`` is the exact text that was signed. ``outcome`` says what came of it (InboxOutcome), and is
    written in the transaction that did it, so that what was done is never done again.
    """

    __tablename__ = "inbox_messages"
    __table_args__ = (
        UniqueConstraint("queue", "event_id"),
        Index(None, "queue", "status", "next_attempt_at"),
    )

    event_id: Mapped[str] = mapped_column(ascii_key(128))
    body: Mapped[str] = mapped_column(Text)
    outcome: Mapped[str | None] = mapped_column(String(24))
