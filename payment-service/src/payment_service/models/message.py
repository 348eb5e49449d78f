"""The outbox: what others must be told, stored in the transaction that decided it."""

from collections.abc import Mapping

from service_kit.db.columns import BigId, ascii_key, enum_column
from service_kit.jobs.queue import LeasedRow
from service_kit.web import strict_json
from sqlalchemy import ForeignKey, Index, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from payment_service.models.base import Base
from payment_service.values.statuses import InboxOutcome


def payment_of_event(event_id: str) -> str:
    """Return the public id of the payment of which the event's id is made."""
    return f"pay_{event_id.removeprefix('evt_').rpartition('_')[0]}"


class OutboxMessage(LeasedRow, Base):
    """One message to one destination (its ``queue``); unique per destination and event.

    ``payload`` is what is sent; empty where that is an event, which its destination refused. ``traceparent``
    is the W3C trace context of the request in which it was decided, if that had one.
    """

    __tablename__ = "outbox_messages"
    __table_args__ = (
        UniqueConstraint("queue", "event_id"),
        Index(None, "queue", "status", "next_attempt_at"),
    )

    merchant_id: Mapped[int] = mapped_column(BigId, ForeignKey("merchants.id"))
    event_id: Mapped[str] = mapped_column(ascii_key(64))
    payload: Mapped[str] = mapped_column(Text)
    traceparent: Mapped[str | None] = mapped_column(ascii_key(55))

    @property
    def payment_id(self) -> str:
        """The payment of which the message tells."""
        return payment_of_event(self.event_id)

    @property
    def order_id(self) -> str | None:
        """The order in the message; that of an event stands in the payment alone."""
        if not self.payload:
            return None
        return str(strict_json.loads(self.payload.encode())["order_id"])

    def names(self) -> Mapping[str, object]:
        """Return the payment and, where the message knows it, the order."""
        order = {} if self.order_id is None else {"order": self.order_id}
        return {**super().names(), "payment": self.payment_id, **order}


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
    outcome: Mapped[InboxOutcome | None] = mapped_column(enum_column(InboxOutcome, 24))
