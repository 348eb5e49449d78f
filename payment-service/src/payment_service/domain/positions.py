"""Gives events and ledger entries their positions: dense, and in the order in which they became visible.

Whoever holds the lock of the log's row in ``sequences`` gives them out. Ids are given out before COMMIT, so a
smaller one may appear after a larger one: what is missing between those that were seen is remembered, and
looked for again until the longest transaction must have ended (LIMIT_GAP_S, 600 s).
"""

from collections.abc import Iterable, Iterator
from collections.abc import Sequence as Rows
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from service_kit.db.rows import insert_rows
from service_kit.web import strict_json
from sqlalchemy import Row, Select, bindparam, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from payment_service.models.ledger import LedgerEntry
from payment_service.models.payment import PaymentEvent
from payment_service.models.position import EntryPosition, EventPosition, Sequence

BATCH = 500
# First and last id, and when the range was first missed, in seconds since 1970.
Gap = tuple[int, int, float]


@dataclass(frozen=True, slots=True)
class Log:
    """A table of rows that are only added, and the table of their positions, which repeats some columns."""

    name: str
    rows: type[PaymentEvent] | type[LedgerEntry]
    positions: type[EventPosition] | type[EntryPosition]
    time: InstrumentedAttribute[datetime]
    repeated: tuple[str, ...]


EVENTS = Log("events", PaymentEvent, EventPosition, PaymentEvent.created_at, ("merchant_id", "type"))
ENTRIES = Log(
    "entries", LedgerEntry, EntryPosition, LedgerEntry.posted_at, ("merchant_id", "account", "kind")
)


def has_news(session: Session, log: Log) -> bool:
    """Whether a row waits for its position; takes no lock."""
    sequence = session.get(Sequence, log.name, populate_existing=True) or _first(log)
    return bool(_unplaced(session, log, sequence, 1))


def give_positions(session: Session, log: Log, now_s: float, margin_s: float) -> int:
    """Give the next ``BATCH`` rows their positions, and return how many there were.

    ``now_s`` are seconds since 1970; what has been missing for ``margin_s`` is given up.

    Raises:
        IntegrityError: somebody else made the log's row at the same moment; try again.
    """
    statement = select(Sequence).where(Sequence.name == log.name).with_for_update()
    sequence = session.scalar(statement.execution_options(populate_existing=True))
    if sequence is None:
        sequence = _first(log)
        session.add(sequence)
        session.flush()
    # One statement sees one moment: of two rows of one payment, never the later without the earlier.
    found = _unplaced(session, log, sequence, BATCH)
    if not found and not _gaps(sequence):
        return 0
    rows = [
        {
            "position": sequence.last_position + number,
            "row_id": row[0],
            **dict(zip(log.repeated, row[1:], strict=True)),
        }
        for number, row in enumerate(found, start=1)
    ]
    if rows:
        insert_rows(session, log.positions, rows)
    ids = [row[0] for row in found]
    seen_id = max([sequence.seen_id, *ids])
    looked_at = [*_gaps(sequence), (sequence.seen_id + 1, seen_id, now_s)]
    left = [gap for gap in missing(looked_at, ids) if gap[2] > now_s - margin_s]
    sequence.last_position += len(rows)
    sequence.seen_id, sequence.gaps = seen_id, strict_json.dumps(left)
    return len(rows)


def missing(ranges: Iterable[Gap], found: Iterable[int]) -> Iterator[Gap]:
    """Return what is left of the ranges without the ids that were found, which are sorted."""
    ids = list(found)
    for first, last, moment in ranges:
        start = first
        for row_id in [*(one for one in ids if first <= one <= last), last + 1]:
            if start < row_id:
                yield start, row_id - 1, moment
            start = row_id + 1


def _first(log: Log) -> Sequence:
    return Sequence(name=log.name, last_position=0, seen_id=0, gaps="[]")


def _gaps(sequence: Sequence) -> list[Gap]:
    return [
        (first, last, float(since_s)) for first, last, since_s in strict_json.loads(sequence.gaps.encode())
    ]


def _unplaced(session: Session, log: Log, sequence: Sequence, limit: int) -> Rows[Row[Any]]:
    gaps = tuple((first, last) for first, last, _ in _gaps(sequence))
    statement = _select_unplaced(log, gaps)
    return session.execute(statement, {"seen_id": sequence.seen_id, "limit": limit}).all()


# Several times a second, mostly without gaps: to build it would cost as much as to send it.
@lru_cache(maxsize=16)
def _select_unplaced(log: Log, gaps: tuple[tuple[int, int], ...]) -> Select[Any]:
    row_id = log.rows.id
    in_gaps = [row_id.between(first, last) for first, last in gaps]
    columns = [getattr(log.rows, name) for name in log.repeated]
    return (
        select(row_id, *columns)
        .where(or_(row_id > bindparam("seen_id"), *in_gaps))
        .order_by(row_id)
        .limit(bindparam("limit"))
    )
