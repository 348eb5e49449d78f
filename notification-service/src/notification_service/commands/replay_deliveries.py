"""Put dead letters back into the queue."""

from collections.abc import Sequence

from service_kit.clock import utc_now
from service_kit.db.rows import affected_rows
from service_kit.jobs.queue import JobStatus
from sqlalchemy import or_, update

from notification_service.extensions import db
from notification_service.models import Notification


def replay_deliveries(ids: Sequence[str] | None) -> int:
    """Give the dead letters with these event or notification ids (None: all) a new round of tries.

    Returns how many there were; what is queued or sent already is left as it is.
    """
    now = utc_now()
    statement = (
        update(Notification)
        .where(Notification.status == JobStatus.DEAD)
        # The queue gives up by the age of created_at and by attempts: both begin anew.
        .values(status=JobStatus.PENDING, attempts=0, next_attempt_at=now, created_at=now, lease_id=None)
        .execution_options(synchronize_session=False)
    )
    if ids is not None:
        statement = statement.where(or_(Notification.event_id.in_(ids), Notification.public_id.in_(ids)))

    return db.in_transaction(lambda session: affected_rows(session, statement))
