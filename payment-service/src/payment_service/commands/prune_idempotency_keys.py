"""Forgets idempotency keys that no client repeats any more."""

from datetime import datetime, timedelta

from service_kit.affected_rows import affected_rows
from service_kit.clock import utc_now
from sqlalchemy import ColumnElement, and_, delete, or_, select
from sqlalchemy.orm import Session

from payment_service.commands.dependencies import Dependencies
from payment_service.extensions import db
from payment_service.models.idempotency_key import IdempotencyKey

# A key without an answer is all that keeps a repeat from being carried out: it goes only once everything
# that its request could still do is long over.
UNANSWERED_KEPT = timedelta(hours=1)


def prune_idempotency_keys(dependencies: Dependencies, *, limit: int = 500) -> int:
    """Delete up to ``limit`` keys that are older than the setting says, and return how many.

    Small batches: nobody waits long for the locks, and a replica keeps up.
    """
    now = utc_now()
    due = _is_key_due(now - dependencies.config.idempotency_keys_kept, now - UNANSWERED_KEPT)
    with db.reading() as session:
        ids = list(
            session.scalars(
                select(IdempotencyKey.id).where(due).order_by(IdempotencyKey.created_at).limit(limit)
            )
        )
    if not ids:
        return 0

    def work(session: Session) -> int:
        # Looked at again: a repeat may have taken the lease over meanwhile.
        statement = delete(IdempotencyKey).where(IdempotencyKey.id.in_(ids), due)
        return affected_rows(session, statement.execution_options(synchronize_session=False))

    return db.in_transaction(work)


def _is_key_due(created_until: datetime, leased_until: datetime) -> ColumnElement[bool]:
    return and_(
        IdempotencyKey.created_at <= created_until,
        or_(IdempotencyKey.answer_status.is_not(None), IdempotencyKey.leased_until <= leased_until),
    )
