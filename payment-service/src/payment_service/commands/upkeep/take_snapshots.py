"""Moves the snapshots of balances on, so that a balance adds up a few minutes' entries and no more."""

import time
from collections.abc import Callable

import structlog
from service_kit.clock import utc_now
from sqlalchemy.exc import IntegrityError

from payment_service.domain.books.snapshots import (
    SettledHead,
    SnapshotMoved,
    advance_snapshots,
    newest_entry_id,
    snapshot_head,
)
from payment_service.extensions import db

log = structlog.get_logger(__name__)


class SnapshotJob:
    """One turn adds one batch of entries; a new process waits for the margin before its first."""

    def __init__(self, margin_s: float, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._head = SettledHead(margin_s)
        self._clock_s = clock_s

    def take(self) -> int:
        """Add what is settled by now; return 1 while more of it is left, else 0."""
        # The moment comes first: what commits between the two is younger than it is taken for.
        now_s = self._clock_s()
        with db.reading() as session:
            newest_id, head = newest_entry_id(session), snapshot_head(session)
        settled_id = self._head.observe(newest_id, now_s)
        if settled_id <= head:
            return 0
        now = utc_now()
        try:
            return int(db.in_transaction(lambda session: advance_snapshots(session, settled_id, now)))
        except (SnapshotMoved, IntegrityError):
            log.info("snapshots_moved_by_another_worker")
            return 0
