"""Snapshots of balances: older entries added up once, far enough behind those that may still come.

An entry gets its id when it is inserted and becomes visible when its transaction commits, so a smaller id
may appear after a larger one. A snapshot that counted past it would leave it out for ever. Whatever was
visible at one moment bounds the ids that were given out before; once the longest transaction has ended since,
nothing new can appear below. The margin (LIMIT_SNAPSHOT_LAG_S, 120 s) is larger than that: a unit of work
makes about ten statements after its first entry, and the connection's time-outs end each within 10 s.
It is measured on this process's monotonic clock: no column, and no clock of another machine, plays a part.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from service_kit.db.rows import affected_rows
from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from payment_service.models.ledger import BalanceSnapshot, LedgerEntry

AccountKey = tuple[int, str, str, str]
BATCH = 10_000


@dataclass
class SettledHead:
    """Remembers which entries were visible when, and gives the id up to which nothing can be added."""

    margin_s: float
    _seen: deque[tuple[float, int]] = field(default_factory=deque)
    _settled_id: int = 0

    def observe(self, newest_id: int, now_s: float) -> int:
        """Note the newest visible id, and return the newest of those noted ``margin_s`` ago or earlier."""
        self._seen.append((now_s, newest_id))
        while self._seen and self._seen[0][0] <= now_s - self.margin_s:
            self._settled_id = self._seen.popleft()[1]
        return self._settled_id


class SnapshotMoved(Exception):
    """Another worker moved the snapshots on at the same moment; its work is kept."""


def newest_entry_id(session: Session) -> int:
    """Return the largest visible id of an entry, 0 without any."""
    return session.scalar(select(func.max(LedgerEntry.id))) or 0


def snapshot_head(session: Session) -> int:
    return session.scalar(select(func.max(BalanceSnapshot.up_to_id))) or 0


def advance_snapshots(session: Session, settled_id: int, at: datetime) -> bool:
    """Add the next ``BATCH`` entries, none after ``settled_id``; return whether more are left.

    Raises:
        SnapshotMoved: another worker was faster; nothing is stored.
        IntegrityError: likewise, with accounts that are new.
    """
    head = snapshot_head(session)
    up_to = _end_of_batch(session, head, settled_id)
    if up_to is None:
        return False
    added = _sums(session, head, up_to)
    known = _snapshots(session, added)
    # Each statement sees what others committed before it: these may be further than the head read above.
    if any(row.up_to_id > head for row in known.values()):
        raise SnapshotMoved
    for key, amount_minor in added.items():
        _add(session, key, amount_minor, known.get(key), up_to, at)
    return up_to < settled_id


def _end_of_batch(session: Session, head: int, settled_id: int) -> int | None:
    """Return the id with which the next batch ends; counted in rows, for ids have gaps."""
    ids = (
        select(LedgerEntry.id)
        .where(LedgerEntry.id > head, LedgerEntry.id <= settled_id)
        .order_by(LedgerEntry.id)
        .limit(BATCH)
        .subquery()
    )
    end: int | None = session.scalar(select(func.max(ids.c.id)))
    return end


def _sums(session: Session, after_id: int, up_to: int) -> Mapping[AccountKey, int]:
    account = (LedgerEntry.merchant_id, LedgerEntry.account, LedgerEntry.provider, LedgerEntry.currency)
    rows = session.execute(
        select(*account, func.sum(LedgerEntry.amount_minor))
        .where(LedgerEntry.id > after_id, LedgerEntry.id <= up_to)
        .group_by(*account)
        # Always in one order, so that two workers wait for one another and do not dead-lock.
        .order_by(*account)
    )
    return {
        (merchant, name, provider, currency): int(total) for merchant, name, provider, currency, total in rows
    }


def _snapshots(session: Session, wanted: Mapping[AccountKey, int]) -> Mapping[AccountKey, BalanceSnapshot]:
    merchants = {merchant_id for merchant_id, *_ in wanted}
    rows = session.scalars(
        select(BalanceSnapshot)
        .where(BalanceSnapshot.merchant_id.in_(merchants))
        .execution_options(populate_existing=True)
    )
    return {(row.merchant_id, row.account, row.provider, row.currency): row for row in rows}


def _add(
    session: Session,
    key: AccountKey,
    amount_minor: int,
    known: BalanceSnapshot | None,
    up_to: int,
    at: datetime,
) -> None:
    if known is None:
        merchant_id, account, provider, currency = key
        values = {"amount_minor": amount_minor, "up_to_id": up_to, "taken_at": at}
        session.execute(
            insert(BalanceSnapshot).values(
                merchant_id=merchant_id, account=account, provider=provider, currency=currency, **values
            )
        )
        return
    # Fence: only on what this unit of work has read. Two that add the same entries meet in the same rows.
    statement = (
        update(BalanceSnapshot)
        .where(BalanceSnapshot.id == known.id, BalanceSnapshot.up_to_id == known.up_to_id)
        .values(amount_minor=known.amount_minor + amount_minor, up_to_id=up_to, taken_at=at)
        .execution_options(synchronize_session=False)
    )
    if affected_rows(session, statement) != 1:
        raise SnapshotMoved
