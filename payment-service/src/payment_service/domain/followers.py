"""How far each destination was told of the events: read, taken under a lease, and moved on."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from service_kit.db.rows import affected_rows
from sqlalchemy import Row, Select, select, update
from sqlalchemy.orm import Session

from payment_service.models.payment import PaymentEvent
from payment_service.models.position import EventPosition, Follower

# An event as it is told: public_id, type, body, payment_id, merchant_id.
EventRow = Row[Any]
_TOLD = (
    PaymentEvent.public_id,
    PaymentEvent.type,
    PaymentEvent.body,
    PaymentEvent.payment_id,
    PaymentEvent.merchant_id,
)


@dataclass(frozen=True, slots=True)
class Batch:
    """What comes next for a destination: ``events`` with their ``position`` as well."""

    follower: Follower
    events: Sequence[EventRow]


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a destination stands after a turn; after a failure, since when and how often it fails."""

    position: int
    next_try_at: datetime
    tries: int = 0
    failing_since: datetime | None = None
    last_error: str | None = None


def next_batch(session: Session, name: str, now: datetime, limit: int) -> Batch | None:
    """Return what comes next; None where that is nothing, or somebody else is at it, or it is to wait."""
    follower = session.get(Follower, name, populate_existing=True) or _first(name, now)
    if follower.next_try_at > now:
        return None
    comes_next = EventPosition.position > follower.position
    events = session.execute(_events(EventPosition.position).where(comes_next).limit(limit)).all()
    session.expunge_all()
    return Batch(follower, events) if events else None


def events_called(session: Session, names: Collection[str]) -> Sequence[EventRow]:
    """Return the events with these ids, in their order."""
    return session.execute(_events().where(PaymentEvent.public_id.in_(names))).all()


def take(session: Session, batch: Batch, lease_id: str, now: datetime, lease_s: float) -> bool:
    """Take the lease, and return whether it was still to be had.

    Raises:
        IntegrityError: somebody else made the destination's row at the same moment.
    """
    name, position = batch.follower.name, batch.follower.position
    if session.get(Follower, name) is None:
        session.add(_first(name, now))
        session.flush()
    still_there = (Follower.position == position, Follower.next_try_at <= now)
    until = now + timedelta(seconds=lease_s)
    return _change(session, name, still_there, {"lease_id": lease_id, "next_try_at": until})


def leave(session: Session, name: str, lease_id: str, standing: Standing) -> bool:
    """Give the lease back, and return whether it was still ours: otherwise nothing is stored."""
    values = {**asdict(standing), "lease_id": None}
    return _change(session, name, (Follower.lease_id == lease_id,), values)


def _first(name: str, now: datetime) -> Follower:
    return Follower(name=name, position=0, next_try_at=now, tries=0)


def _events(*more: Any) -> Select[Any]:
    joined = select(*_TOLD, *more).join(EventPosition, EventPosition.row_id == PaymentEvent.id)
    return joined.order_by(EventPosition.position)


def _change(session: Session, name: str, only: Sequence[Any], values: Mapping[str, Any]) -> bool:
    statement = update(Follower).where(Follower.name == name, *only).values(values)
    return affected_rows(session, statement.execution_options(synchronize_session=False)) == 1
