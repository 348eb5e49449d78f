"""Reads the outbox for operators."""

from collections.abc import Sequence

from service_kit.leased_queue import JobStatus
from sqlalchemy import select

from payment_service.extensions import db
from payment_service.models.outbox_message import OutboxMessage


def list_messages(status: JobStatus | None, limit: int) -> Sequence[OutboxMessage]:
    """Return up to ``limit`` messages, newest first; ``status`` None means all."""
    statement = select(OutboxMessage).order_by(OutboxMessage.id.desc()).limit(limit)
    if status is not None:
        statement = statement.where(OutboxMessage.status == status)
    with db.reading() as session:
        return list(session.scalars(statement))
