"""Reads the outbox, the inbox and who follows the events, for operators."""

from collections.abc import Sequence

from service_kit.jobs.queue import JobStatus
from sqlalchemy import func, select

from payment_service.extensions import db
from payment_service.models.message import InboxMessage, OutboxMessage
from payment_service.models.payment import Payment, PaymentEvent
from payment_service.models.position import EventPosition, Follower
from payment_service.values.statuses import InboxOutcome


def list_messages(status: JobStatus | None, limit: int) -> Sequence[tuple[OutboxMessage, str]]:
    """Return up to ``limit`` messages with the orders they are about, newest first; None means all."""
    statement = (
        select(OutboxMessage, Payment.order_id)
        .join(PaymentEvent, PaymentEvent.public_id == OutboxMessage.event_id)
        .join(Payment, Payment.id == PaymentEvent.payment_id)
        .order_by(OutboxMessage.id.desc())
        .limit(limit)
    )
    if status is not None:
        statement = statement.where(OutboxMessage.status == status)
    with db.reading() as session:
        return [(row[0], row[1]) for row in session.execute(statement)]


def list_inbox(status: JobStatus | None, outcome: InboxOutcome | None, limit: int) -> Sequence[InboxMessage]:
    """Return up to ``limit`` events of providers, newest first; None means all."""
    statement = select(InboxMessage).order_by(InboxMessage.id.desc()).limit(limit)
    if status is not None:
        statement = statement.where(InboxMessage.status == status)
    if outcome is not None:
        statement = statement.where(InboxMessage.outcome == outcome)
    with db.reading() as session:
        return list(session.scalars(statement))


def find_inbox_message(message_id: int) -> InboxMessage | None:
    with db.reading() as session:
        return session.get(InboxMessage, message_id)


def list_followers() -> Sequence[tuple[Follower, int]]:
    """Return the destinations that were ever told of events, and how many events each is behind."""
    last = select(func.coalesce(func.max(EventPosition.position), 0)).scalar_subquery()
    with db.reading() as session:
        rows = session.execute(select(Follower, last - Follower.position).order_by(Follower.name)).all()
        session.expunge_all()
    return [(row[0], row[1]) for row in rows]
