"""Put dead letters back into the queue."""

from collections.abc import Sequence

from service_kit.jobs.queue import JobStatus, replay_rows
from sqlalchemy import or_

from notification_service.extensions import db
from notification_service.models import Notification


def replay_deliveries(ids: Sequence[str] | None) -> int:
    """Give the dead letters with these event or notification ids (None: all) a new round of tries.

    Returns how many there were; what is queued or sent already is left as it is.
    """
    chosen = [Notification.status == JobStatus.DEAD]
    if ids is not None:
        chosen.append(or_(Notification.event_id.in_(ids), Notification.public_id.in_(ids)))
    return replay_rows(db, Notification, *chosen)
