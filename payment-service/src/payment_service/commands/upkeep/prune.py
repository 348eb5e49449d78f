"""Forgets what is over: delivered messages, applied events of banks, and idempotency keys.

The events table is the record, and stays. What is still to be delivered, was given up, or waits for a person
stays too, however old it is.
"""

from datetime import datetime, timedelta

from service_kit.clock import utc_now
from service_kit.jobs.queue import prune_done, prune_rows
from sqlalchemy import ColumnElement, and_, or_

from payment_service.extensions import db
from payment_service.models.idempotency_key import IdempotencyKey
from payment_service.models.message import InboxMessage, OutboxMessage
from payment_service.processing.dependencies import Dependencies
from payment_service.values.statuses import Destination, InboxOutcome

# A key without an answer is all that keeps a repeat from being carried out: it goes only once everything
# that its request could still do is long over.
UNANSWERED_KEPT = timedelta(hours=1)


def prune_messages(dependencies: Dependencies, *, limit: int = 500) -> int:
    """Delete up to ``limit`` messages of each queue that are older than the setting says; return how many."""
    until = utc_now() - dependencies.config.messages_kept
    applied = InboxMessage.outcome == InboxOutcome.APPLIED
    sent = sum(prune_done(db, OutboxMessage, queue, until, limit=limit) for queue in Destination)
    return sent + sum(
        prune_done(db, InboxMessage, queue, until, applied, limit=limit) for queue in dependencies.webhooks
    )


def prune_idempotency_keys(dependencies: Dependencies, *, limit: int = 500) -> int:
    """Delete up to ``limit`` keys that are older than the setting says, and return how many."""
    now = utc_now()
    due = _is_key_due(now - dependencies.config.idempotency_keys_kept, now - UNANSWERED_KEPT)
    return prune_rows(db, IdempotencyKey, due, IdempotencyKey.created_at, limit)


def _is_key_due(created_until: datetime, leased_until: datetime) -> ColumnElement[bool]:
    return and_(
        IdempotencyKey.created_at <= created_until,
        or_(IdempotencyKey.answer_status.is_not(None), IdempotencyKey.leased_until <= leased_until),
    )
