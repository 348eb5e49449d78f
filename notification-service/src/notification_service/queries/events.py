"""Reading events of payments that were received."""

from collections.abc import Sequence

from sqlalchemy import select

from notification_service.extensions import db
from notification_service.models import ReceivedEvent


def list_events(limit: int) -> Sequence[ReceivedEvent]:
    with db.reading() as session:
        rows = session.scalars(select(ReceivedEvent).order_by(ReceivedEvent.id.desc()).limit(limit)).all()
        session.expunge_all()
    return rows
