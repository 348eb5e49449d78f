"""Many payments that came to their end, written by bulk inserts.

The n-th payment is always the same, so that filling which was interrupted goes on where it stopped.
"""

from datetime import datetime
from typing import Any

from payment_service.domain.payments.events import EventKey
from payment_service.models.base import Base
from payment_service.models.card import PaymentMethod, SealedCard
from payment_service.models.dispute import Dispute
from payment_service.models.idempotency_key import IdempotencyKey
from payment_service.models.ledger import LedgerEntry
from payment_service.models.message import InboxMessage, OutboxMessage
from payment_service.models.movement import Capture, PaymentAttempt, Refund, Void
from payment_service.models.payment import Payment, PaymentEvent
from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from tests.testkit.payments.bulk.endings import tell_story
from tests.testkit.payments.bulk.story import PREFIX

_AFTER_ATTEMPTS: tuple[type[Base], ...] = (
    PaymentEvent,
    Capture,
    Void,
    Refund,
    LedgerEntry,
    Dispute,
    OutboxMessage,
    IdempotencyKey,
    InboxMessage,
    PaymentMethod,
    SealedCard,
)


def fill(
    session: Session, key: EventKey, merchant_id: int, numbers: range, first_created_at: datetime
) -> None:
    """Write the payments of these numbers, with everything that belongs to them, in this transaction."""
    stories = [tell_story(key, merchant_id, number, first_created_at) for number in numbers]
    columns = [column.key for column in Payment.__table__.columns if column.key != "id"]
    payments = [{name: getattr(story.payment, name) for name in columns} for story in stories]
    payment_ids = _insert(session, Payment, payments)
    attempts = [
        {**row, "payment_id": payment_ids[story.payment.public_id]}
        for story in stories
        for row in story.rows[PaymentAttempt]
    ]
    attempt_ids = _insert(session, PaymentAttempt, attempts)
    for model in _AFTER_ATTEMPTS:
        rows = [
            row | _links(model, payment_ids[story.payment.public_id], attempt_ids[story.id("att")])
            for story in stories
            for row in story.rows[model]
        ]
        if rows:
            session.execute(insert(model), rows)


def count_filled(session: Session) -> int:
    """Return how many payments ``fill`` has written so far."""
    found = select(func.count()).where(Payment.public_id.between(f"pay_{PREFIX}", f"pay_{PREFIX}~"))
    return session.scalars(found).one()


def _links(model: type[Base], payment_id: int, attempt_id: int) -> dict[str, int]:
    keys = {"payment_id": payment_id, "attempt_id": attempt_id}
    return {name: key for name, key in keys.items() if name in model.__table__.columns}


def _insert(
    session: Session, model: type[Payment | PaymentAttempt], rows: list[dict[str, Any]]
) -> dict[str, int]:
    """Insert rows and return their keys by public id: MySQL does not tell them by itself."""
    session.execute(insert(model), rows)
    names = [row["public_id"] for row in rows]
    found = session.execute(select(model.public_id, model.id).where(model.public_id.in_(names)))
    return {row.public_id: row.id for row in found}
