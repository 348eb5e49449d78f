"""Reads the outbox for operators."""

from collections.abc import Sequence
from datetime import datetime

from service_kit.leased_queue import JobStatus
from sqlalchemy import func, select

from payment_service.extensions import db
from payment_service.models.outbox_message import OutboxMessage


def list_messages(status: JobStatus | None, limit: int) -> Sequence[OutboxMessage]:
    """Return up to ``limit`` messages, newest first; ``status`` None means all."""
    statement = select(OutboxMessage).order_by(OutboxMessage.id.desc()).limit(limit)
    if status is not None:
        statement = statement.where(OutboxMessage.status == status)
    with db.reading() as session:
        return list(session.scalars(statement))


def oldest_pending_at() -> datetime | None:
    """Return when the oldest undelivered message was written."""
    with db.reading() as session:
        return session.scalar(
            select(func.min(OutboxMessage.created_at)).where(OutboxMessage.status == JobStatus.PENDING)
        )
