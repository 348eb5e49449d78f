"""Events of payments, as payment-service told them."""

from datetime import datetime

from service_kit.db.columns import BigId, UtcDateTime, ascii_key
from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

from notification_service.models.base import Base


class ReceivedEvent(Base):
    """One event of one payment, stored once. ``body`` is the event itself as JSON text."""

    __tablename__ = "received_events"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    event_id: Mapped[str] = mapped_column(ascii_key(64), unique=True)
    merchant_id: Mapped[str] = mapped_column(ascii_key(64))
    payment_id: Mapped[str] = mapped_column(ascii_key(64))
    type: Mapped[str] = mapped_column(String(40))
    occurred_at: Mapped[datetime] = mapped_column(UtcDateTime)
    received_at: Mapped[datetime] = mapped_column(UtcDateTime)
    body: Mapped[str] = mapped_column(Text)
