"""Notifications: what somebody is told, and the queue of what is still to be delivered."""

from datetime import datetime

from service_kit.db.columns import UtcDateTime, ascii_key, enum_column
from service_kit.jobs.queue import JobStatus, LeasedRow
from sqlalchemy import Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from notification_service.models.base import Base
from notification_service.models.delivery_attempt import DeliveryAttempt
from notification_service.values.vocabulary import MailLocale, NotificationStatus, NotificationType

_SHOWN = {
    JobStatus.PENDING: NotificationStatus.QUEUED,
    JobStatus.DONE: NotificationStatus.SENT,
    JobStatus.DEAD: NotificationStatus.DEAD,
}


class Notification(LeasedRow, Base):
    """One e-mail to one recipient about one event, whose ``event_id`` makes it unique.

    ``created_at`` is the queue's: the age of the present round of tries, which a replay begins anew.
    ``accepted_at`` never changes. ``data`` is what it says, as JSON text, rendered when it is sent.
    """

    __tablename__ = "notifications"
    __table_args__ = (Index(None, "queue", "status", "next_attempt_at"),)

    public_id: Mapped[str] = mapped_column(ascii_key(64), unique=True)
    event_id: Mapped[str] = mapped_column(ascii_key(64), unique=True)
    type: Mapped[NotificationType] = mapped_column(enum_column(NotificationType, 32))
    locale: Mapped[MailLocale] = mapped_column(enum_column(MailLocale, 2))
    recipient: Mapped[str] = mapped_column(String(254))
    data: Mapped[str] = mapped_column(Text)
    accepted_at: Mapped[datetime] = mapped_column(UtcDateTime)
    tries: Mapped[list[DeliveryAttempt]] = relationship(
        order_by=DeliveryAttempt.id, viewonly=True, lazy="raise"
    )

    @property
    def shown_status(self) -> NotificationStatus:
        return _SHOWN[self.status]

    @property
    def next_try_at(self) -> datetime | None:
        return self.next_attempt_at if self.status is JobStatus.PENDING else None
