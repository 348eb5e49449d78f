"""Reading what was accepted, where it stands, and what became of each try."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from service_kit.jobs.queue import JobStatus
from sqlalchemy import select

from notification_service.errors import NotificationUnknown
from notification_service.extensions import db
from notification_service.models import DeliveryAttempt, Notification
from notification_service.values.vocabulary import NotificationStatus


@dataclass(frozen=True, slots=True)
class NotificationState:
    public_id: str
    event_id: str
    type: str
    locale: str
    recipient: str
    shown_status: NotificationStatus
    accepted_at: datetime
    done_at: datetime | None
    next_attempt_at: datetime | None
    attempts: Sequence[DeliveryAttempt]


def find_notification(event_id: str) -> NotificationState:
    """Return the notification of an event.

    Raises:
        NotificationUnknown: none was accepted.
    """
    with db.reading() as session:
        row = session.scalars(select(Notification).where(Notification.event_id == event_id)).one_or_none()
        if row is None:
            raise NotificationUnknown
        tries = session.scalars(
            select(DeliveryAttempt)
            .where(DeliveryAttempt.notification_id == row.id)
            .order_by(DeliveryAttempt.id)
        ).all()
        # Everything is read before the session's transaction ends, which makes it forget its rows.
        session.expunge_all()
    return NotificationState(
        public_id=row.public_id,
        event_id=row.event_id,
        type=row.type,
        locale=row.locale,
        recipient=row.recipient,
        shown_status=row.shown_status,
        accepted_at=row.accepted_at,
        done_at=row.done_at,
        next_attempt_at=row.next_attempt_at if row.status == JobStatus.PENDING else None,
        attempts=tries,
    )


def list_notifications(status: JobStatus | None, limit: int) -> Sequence[Notification]:
    statement = select(Notification).order_by(Notification.id.desc()).limit(limit)
    if status is not None:
        statement = statement.where(Notification.status == status)
    with db.reading() as session:
        rows = session.scalars(statement).all()
        session.expunge_all()
    return rows
