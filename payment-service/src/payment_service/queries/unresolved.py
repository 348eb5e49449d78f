"""Reads what is unresolved, across all merchants: for operators."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from payment_service.domain.payments.locks import Model
from payment_service.extensions import db
from payment_service.models.merchant import Merchant
from payment_service.models.movement import MOVEMENTS, AnyMovement
from payment_service.models.payment import Payment


@dataclass(frozen=True, slots=True)
class Unresolved:
    """A movement whose outcome is open, whose it is, and where its payment stands."""

    movement: AnyMovement
    merchant_id: str
    payment_id: str
    payment_status: str


def list_unresolved(now: datetime, older_than: timedelta, limit: int) -> Sequence[Unresolved]:
    """Return up to ``limit`` movements that began at least ``older_than`` ago, the oldest first.

    Whatever is open has a time of its next inquiry, so this reads no other rows.
    """
    with db.reading() as session:
        found = [one for table in MOVEMENTS for one in _of_table(session, table, now - older_than, limit)]
    return sorted(found, key=lambda one: one.movement.started_at)[:limit]


def _of_table(session: Session, table: type[Model], begun_before: datetime, limit: int) -> list[Unresolved]:
    rows = session.execute(
        select(table, Merchant.public_id, Payment.public_id, Payment.status)
        .join(Payment, Payment.id == table.payment_id)
        .join(Merchant, Merchant.id == table.merchant_id)
        .where(table.next_ask_at.is_not(None), table.started_at <= begun_before)
        .order_by(table.started_at)
        .limit(limit)
    )
    return [Unresolved(movement, merchant, payment, status) for movement, merchant, payment, status in rows]
