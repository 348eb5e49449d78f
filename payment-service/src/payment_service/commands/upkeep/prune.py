"""Forgets messages that were delivered long ago, and banks' events that were applied long ago.

The events table is the record, and stays. What is still to be delivered, was given up, or waits for a person
stays too, however old it is.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from service_kit.clock import utc_now
from service_kit.db.rows import affected_rows
from service_kit.jobs.queue import JobStatus
from sqlalchemy import ColumnElement, and_, delete, or_, select
from sqlalchemy.orm import Session

from payment_service.extensions import db
from payment_service.models.idempotency_key import IdempotencyKey
from payment_service.models.message import InboxMessage, OutboxMessage
from payment_service.processing.dependencies import Dependencies
from payment_service.values.statuses import Destination, InboxOutcome

Message = type[OutboxMessage] | type[InboxMessage]


def prune_messages(dependencies: Dependencies, *, limit: int = 500) -> int:
    """Delete up to ``limit`` messages of each queue that are older than the setting says; return how many.

    Small batches: nobody waits long for the locks, and a replica keeps up.
    """
    until = utc_now() - dependencies.config.messages_kept
    queues: Iterable[tuple[Message, str]] = (
        *((OutboxMessage, queue) for queue in Destination),
        *((InboxMessage, queue) for queue in dependencies.webhooks),
    )
    return sum(_prune(table, _is_due(table, queue, until), limit) for table, queue in queues)


def _prune(table: Message, due: ColumnElement[bool], limit: int) -> int:
    with db.reading() as session:
        ids = list(session.scalars(select(table.id).where(due).order_by(table.next_attempt_at).limit(limit)))
    if not ids:
        return 0

    def work(session: Session) -> int:
        # Looked at again: an operator may have asked for it again meanwhile.
        statement = delete(table).where(table.id.in_(ids), due)
        return affected_rows(session, statement.execution_options(synchronize_session=False))

    return db.in_transaction(work)


def _is_due(table: Message, queue: str, until: datetime) -> ColumnElement[bool]:
    # When it was done stands in no index; the end of the lease under which it was done does, moments later.
    due = and_(table.queue == queue, table.status == JobStatus.DONE, table.next_attempt_at <= until)
    if table is InboxMessage:
        return and_(due, InboxMessage.outcome == InboxOutcome.APPLIED)
    return due


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
