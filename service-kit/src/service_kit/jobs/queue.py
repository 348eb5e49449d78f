"""A durable queue in the service's own database: claim with a lease, commit, do, record.

Nothing is lost when a worker is killed at any moment: the lease runs out and somebody else takes the row.
It may then be done twice, so what a handler does must be idempotent at its other end.
"""

import random
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Generic, TypeVar

import structlog
from sqlalchemy import ColumnElement, Select, String, Text, and_, delete, select, update
from sqlalchemy.orm import InstrumentedAttribute, Mapped, Session, mapped_column
from sqlalchemy.orm.attributes import set_committed_value

from service_kit.clock import utc_now
from service_kit.db.columns import BigId, UtcDateTime, enum_column, table_of
from service_kit.db.database import Database
from service_kit.db.rows import affected_rows

log = structlog.get_logger(__name__)

# Who delivers to another service is told at the first failure, after this time, and when it is over.
_HOUR_S = 3600.0


class JobStatus(StrEnum):
    """Where a row stands: still to be done, done, or given up and waiting for a person."""

    PENDING = "pending"
    DONE = "done"
    DEAD = "dead"


class LeasedRow:
    """Columns of a queue's table; a service mixes it into a model of its own and adds the payload.

    The model's table needs ``Index(None, "queue", "status", "next_attempt_at")``, which the claims read.
    ``next_attempt_at`` is also the end of the lease while ``lease_id`` is set.
    """

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    queue: Mapped[str] = mapped_column(String(32))
    status: Mapped[JobStatus] = mapped_column(enum_column(JobStatus, 8), default=JobStatus.PENDING)
    attempts: Mapped[int] = mapped_column(default=0)
    next_attempt_at: Mapped[datetime] = mapped_column(UtcDateTime)
    lease_id: Mapped[str | None] = mapped_column(String(32))
    last_error: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    done_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    def names(self) -> Mapping[str, object]:
        """Return what an operator knows the job by, for the lines of the log."""
        return {"job": self.id}


Row = TypeVar("Row", bound=LeasedRow)


@dataclass(frozen=True, slots=True)
class Done:
    """The job is done."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The job failed: try again later, until one of the limits is reached.

    ``give_up_after`` counts from the row's creation. ``pause_s`` is the shortest pause once the first tries
    are over. ``is_refused``: the other side would have none of it, however often it comes.
    """

    reason: str
    give_up_after: timedelta = timedelta(days=7)
    max_attempts: int | None = None
    pause_s: float = 0.0
    is_refused: bool = False


Result = Done | Failed


@dataclass(frozen=True, slots=True)
class RetrySchedule:
    """When to try again, in seconds: the first delays one by one, then ``steps`` of (row's age, delay)."""

    first_delays_s: Sequence[float]
    steps: Sequence[tuple[float, float]]
    jitter: float = 0.2

    def delay_s(self, attempts: int, age_s: float, pause_s: float = 0.0) -> float:
        """Return the pause after the ``attempts``-th failure (1 is the first) of a row of that age.

        After the first delays it is at least ``pause_s``.
        """
        if attempts <= len(self.first_delays_s):
            base_s = self.first_delays_s[attempts - 1]
        else:
            step_s = next((delay for limit, delay in self.steps if age_s < limit), self.steps[-1][1])
            base_s = max(step_s, pause_s)
        return base_s * random.uniform(1 - self.jitter, 1 + self.jitter)  # noqa: S311  no secret depends on it


class LeasedQueue(Generic[Row]):
    """One named queue in the table of ``model``."""

    def __init__(
        self, db: Database, model: type[Row], name: str, schedule: RetrySchedule, *, lease_s: float = 30.0
    ) -> None:
        self.name = name
        self._db = db
        self._model = model
        self._schedule = schedule
        self._lease_s = lease_s

    def claim(self, limit: int) -> list[Row]:
        """Take up to ``limit`` rows that are due; they are ours until the lease ends."""
        now = utc_now()
        lease_id = secrets.token_hex(16)
        if self._db.has_one_writer and not self._has_due(now):
            return []
        return self._db.in_transaction(lambda session: self._lease(session, limit, now, lease_id))

    def record(self, row: Row, result: Result) -> None:
        self.record_all([(row, result)])

    def record_all(self, finished: Sequence[tuple[Row, Result]]) -> None:
        """Store in one transaction what became of claimed rows; one that somebody else holds by now stays."""
        if not finished:
            return
        now = utc_now()
        done = [row for row, result in finished if isinstance(result, Done)]
        for row in done:
            if row.attempts > 1:
                log.warning("job_recovered", queue=self.name, tries=row.attempts, **row.names())
        # The delays hold a little chance, so they are drawn before the unit of work, which may run twice.
        failed = [
            (row, self._after(row, result, now)) for row, result in finished if isinstance(result, Failed)
        ]

        def work(session: Session) -> None:
            if done:
                self._store_done(session, done, now)
            for row, values in failed:
                self._store_failed(session, row, values)
            self._store_more(session, finished)

        self._db.in_transaction(work)

    def _store_done(self, session: Session, rows: Sequence[Row], now: datetime) -> None:
        model = self._model
        session.execute(
            update(table_of(model))
            # A row may be held under another of these leases than when it was done: it is done all the same.
            .where(model.id.in_([row.id for row in rows]), model.lease_id.in_({row.lease_id for row in rows}))
            .values(status=JobStatus.DONE, done_at=now, lease_id=None, last_error=None)
        )

    def _store_failed(self, session: Session, row: Row, values: Mapping[str, Any]) -> None:
        model = self._model
        session.execute(
            update(model)
            .where(model.id == row.id, model.lease_id == row.lease_id)
            .values(**values)
            .execution_options(synchronize_session=False)
        )

    def _store_more(self, session: Session, finished: Sequence[tuple[Row, Result]]) -> None:
        """Store what a service's own queue keeps beside its rows, in the same transaction."""

    def _due(self, now: datetime) -> Select[Row]:
        model = self._model
        return (
            select(model)
            .where(model.queue == self.name, model.status == JobStatus.PENDING, model.next_attempt_at <= now)
            .order_by(model.next_attempt_at)
        )

    def _has_due(self, now: datetime) -> bool:
        first = self._due(now).with_only_columns(self._model.id).limit(1)
        with self._db.reading() as session:
            return session.execute(first).first() is not None

    def _lease(self, session: Session, limit: int, now: datetime, lease_id: str) -> list[Row]:
        claim = self._due(now).limit(limit).with_for_update(skip_locked=True)
        rows = list(session.scalars(claim.execution_options(populate_existing=True)))
        if rows:
            model = self._model
            until = now + timedelta(seconds=self._lease_s)
            session.execute(
                update(table_of(model))
                .where(model.id.in_([row.id for row in rows]))
                .values(lease_id=lease_id, next_attempt_at=until, attempts=model.attempts + 1)
            )
            for row in rows:
                set_committed_value(row, "lease_id", lease_id)
                set_committed_value(row, "next_attempt_at", until)
                set_committed_value(row, "attempts", row.attempts + 1)
        return rows

    def _after(self, row: Row, result: Failed, now: datetime) -> dict[str, Any]:
        age = now - row.created_at
        worn_out = result.max_attempts is not None and row.attempts >= result.max_attempts
        is_given_up = worn_out or age >= result.give_up_after
        delay_s = self._schedule.delay_s(row.attempts, age.total_seconds(), result.pause_s)
        if is_given_up:
            # A person must look: operators are alerted by this line.
            log.error("job_given_up", queue=self.name, reason=result.reason[:500], **row.names())
        else:
            log_failing(self.name, row.attempts, age.total_seconds(), delay_s, result.reason, row.names())
        return {
            "status": JobStatus.DEAD if is_given_up else JobStatus.PENDING,
            "next_attempt_at": now + timedelta(seconds=delay_s),
            "lease_id": None,
            "last_error": result.reason[:500],
        }


def log_failing(
    queue: str, tries: int, age_s: float, delay_s: float, reason: str, names: Mapping[str, object]
) -> None:
    """Tell operators of a delivery that fails: at the first failure, and once when it is an hour old.

    ``delay_s``: when it is tried again.
    """
    if tries == 1 or 0 <= age_s - _HOUR_S < delay_s:
        log.warning("job_failing", queue=queue, tries=tries, age_s=round(age_s), reason=reason[:500], **names)


def replay_rows(db: Database, model: type[LeasedRow], *chosen: ColumnElement[bool], **values: Any) -> int:
    """Give the rows of all queues that meet every condition a new round of tries, due now; return how many.

    ``values`` sets further columns. What must not be done twice is for ``chosen`` to leave out.
    """
    now = utc_now()
    statement = (
        update(model)
        .where(*chosen)
        # Retries and giving up count from a row's creation: it gets all its time again.
        .values(status=JobStatus.PENDING, attempts=0, next_attempt_at=now, created_at=now)
        .values(lease_id=None, done_at=None, **values)
        .execution_options(synchronize_session=False)
    )
    return db.in_transaction(lambda session: affected_rows(session, statement))


def prune_done(
    db: Database, model: type[LeasedRow], queue: str, until: datetime, *only: ColumnElement[bool], limit: int
) -> int:
    """Delete up to ``limit`` rows of a queue that were done by ``until``, oldest first; return how many.

    ``only`` are further conditions that they must meet.
    """
    # When it was done stands in no index; the end of the lease under which it was done does, moments later.
    due = and_(model.queue == queue, model.status == JobStatus.DONE, model.next_attempt_at <= until, *only)
    return prune_rows(db, model, due, model.next_attempt_at, limit)


def prune_rows(
    db: Database, model: type[Any], due: ColumnElement[bool], age: InstrumentedAttribute[Any], limit: int
) -> int:
    """Delete up to ``limit`` rows of any table with an ``id`` that are ``due``, in the order of ``age``.

    Small batches: nobody waits long for the locks, and a replica keeps up.
    """
    with db.reading() as session:
        ids = list(session.scalars(select(model.id).where(due).order_by(age).limit(limit)))
    if not ids:
        return 0
    # Whether they are due is checked again: somebody may have taken or changed one meanwhile.
    statement = delete(model).where(model.id.in_(ids), due).execution_options(synchronize_session=False)
    return db.in_transaction(lambda session: affected_rows(session, statement))
