"""How far each destination was told of the events: read, taken under a lease, and moved on."""

from collections.abc import Collection, Sequence
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
    """What comes next for a destination, which is ours to tell: ``events`` have their ``position`` as well.

    ``tries`` and ``failing_since`` say how often, and since when, what comes next failed until now.
    """

    destination: str
    lease_id: str
    position: int
    tries: int
    failing_since: datetime | None
    events: Sequence[EventRow]


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a destination stands after a turn; after a failure, since when and how often it fails."""

    position: int
    next_try_at: datetime
    tries: int = 0
    failing_since: datetime | None = None
    last_error: str | None = None


def has_next(session: Session, name: str, now: datetime) -> bool:
    """Whether the destination is to be told something now; takes no lock."""
    follower = session.get(Follower, name, populate_existing=True) or _first(name, now)
    return follower.next_try_at <= now and session.execute(_after(follower, 1)).first() is not None


def take_next(
    session: Session, name: str, lease_id: str, now: datetime, lease_s: float, limit: int
) -> Batch | None:
    """Take what comes next; None where that is nothing, or somebody else is at it, or it is to wait.

    Raises:
        IntegrityError: somebody else made the destination's row at the same moment.
    """
    follower = session.get(Follower, name, with_for_update=True, populate_existing=True)
    if follower is None:
        follower = _first(name, now)
        session.add(follower)
        session.flush()
    if follower.next_try_at > now:
        return None
    events = session.execute(_after(follower, limit)).all()
    if not events:
        return None
    follower.lease_id, follower.next_try_at = lease_id, now + timedelta(seconds=lease_s)
    return Batch(name, lease_id, follower.position, follower.tries, follower.failing_since, events)


def events_called(session: Session, names: Collection[str]) -> Sequence[EventRow]:
    """Return the events with these ids, in their order."""
    return session.execute(_events().where(PaymentEvent.public_id.in_(names))).all()


def leave(session: Session, batch: Batch, standing: Standing) -> bool:
    """Give the lease back, and return whether it was still ours: otherwise nothing is stored."""
    is_ours = (Follower.name == batch.destination, Follower.lease_id == batch.lease_id)
    statement = update(Follower).where(*is_ours).values(**asdict(standing), lease_id=None)
    return affected_rows(session, statement.execution_options(synchronize_session=False)) == 1


def _first(name: str, now: datetime) -> Follower:
    return Follower(name=name, position=0, next_try_at=now, tries=0)


def _after(follower: Follower, limit: int) -> Select[Any]:
    comes_next = EventPosition.position > follower.position
    return _events(EventPosition.position).where(comes_next).limit(limit)


def _events(*more: Any) -> Select[Any]:
    joined = select(*_TOLD, *more).join(EventPosition, EventPosition.row_id == PaymentEvent.id)
    return joined.order_by(EventPosition.position)
