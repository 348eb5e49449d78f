"""Puts outbox messages back to be delivered at once: for an operator, after the cause was mended."""

from datetime import datetime

from service_kit.clock import utc_now
from service_kit.db.rows import affected_rows
from service_kit.jobs.queue import JobStatus
from sqlalchemy import or_, update
from sqlalchemy.orm import Session

from payment_service.extensions import db
from payment_service.models.message import InboxMessage, OutboxMessage
from payment_service.values.statuses import InboxOutcome


def replay_messages(message_ids: list[int] | None) -> int:
    """Make messages due now, all dead ones when ``message_ids`` is None; return how many.

    Only what is not delivered is touched: a message that arrived is not sent again.
    """
    now = utc_now()
    return db.in_transaction(lambda session: _replay_outbox(session, message_ids, now))


def _replay_outbox(session: Session, message_ids: list[int] | None, now: datetime) -> int:
    # Retries and giving up count from a message's creation: it gets all its time again.
    statement = update(OutboxMessage).values(
        status=JobStatus.PENDING, attempts=0, next_attempt_at=now, lease_id=None, created_at=now
    )
    if message_ids is None:
        statement = statement.where(OutboxMessage.status == JobStatus.DEAD)
    else:
        statement = statement.where(OutboxMessage.id.in_(message_ids), OutboxMessage.status != JobStatus.DONE)
    return affected_rows(session, statement.execution_options(synchronize_session=False))


def replay_inbox(message_ids: list[int] | None) -> int:
    """Make events due now, all dead ones when ``message_ids`` is None; return how many.

    What was applied stays as it is: nothing is done twice.
    """
    now = utc_now()
    return db.in_transaction(lambda session: _replay_inbox(session, message_ids, now))


def _replay_inbox(session: Session, message_ids: list[int] | None, now: datetime) -> int:
    # Retries and giving up count from a message's creation: it gets all its time again.
    statement = update(InboxMessage).values(
        status=JobStatus.PENDING,
        outcome=None,
        attempts=0,
        next_attempt_at=now,
        lease_id=None,
        created_at=now,
        done_at=None,
    )
    if message_ids is None:
        statement = statement.where(InboxMessage.status == JobStatus.DEAD)
    else:
        statement = statement.where(InboxMessage.id.in_(message_ids))
    not_applied = or_(InboxMessage.outcome.is_(None), InboxMessage.outcome != InboxOutcome.APPLIED)
    statement = statement.where(not_applied).execution_options(synchronize_session=False)
    return affected_rows(session, statement)
