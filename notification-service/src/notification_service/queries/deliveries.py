"""Reading what was accepted, where it stands, and what became of each try."""

from collections.abc import Sequence

from service_kit.jobs.queue import JobStatus
from sqlalchemy import select
from sqlalchemy.orm import selectinload

from notification_service.errors import NotificationUnknown
from notification_service.extensions import db
from notification_service.models import Notification


def find_notification(event_id: str) -> Notification:
    """Return the notification of an event, with its delivery log.

    Raises:
        NotificationUnknown: none was accepted.
    """
    query = select(Notification).where(Notification.event_id == event_id)
    with db.reading() as session:
        row = session.scalars(query.options(selectinload(Notification.tries))).one_or_none()
        # Taken out before the session's transaction ends, which makes it forget its rows.
        session.expunge_all()
    if row is None:
        raise NotificationUnknown
    return row


def list_notifications(status: JobStatus | None, limit: int) -> Sequence[Notification]:
    statement = select(Notification).order_by(Notification.id.desc()).limit(limit)
    if status is not None:
        statement = statement.where(Notification.status == status)
    with db.reading() as session:
        rows = session.scalars(statement).all()
        session.expunge_all()
    return rows
