"""The delivery log: every try, and what the other side answered."""

from datetime import datetime

from service_kit.db.columns import BigId, UtcDateTime, enum_column
from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from notification_service.models.base import Base
from notification_service.values.vocabulary import Outcome


class DeliveryAttempt(Base):
    """One try to deliver a notification; rows are only ever added.

    ``answer`` is the server's text, with long runs of digits masked.
    """

    __tablename__ = "delivery_attempts"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    notification_id: Mapped[int] = mapped_column(BigId, ForeignKey("notifications.id"), index=True)
    number: Mapped[int]
    attempted_at: Mapped[datetime] = mapped_column(UtcDateTime)
    channel: Mapped[str] = mapped_column(String(16))
    recipient: Mapped[str] = mapped_column(String(254))
    result: Mapped[Outcome] = mapped_column(enum_column(Outcome, 16))
    answer: Mapped[str] = mapped_column(Text)
