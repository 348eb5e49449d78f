"""The leased queue and the worker that empties it, on every engine."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from unittest.mock import Mock

import pytest
from flask import Flask
from service_kit.clock import utc_now
from service_kit.db.database import Database, new_metadata
from service_kit.db.engine import engine_options, prepare_engine
from service_kit.jobs.loops import PeriodicLoop, QueueLoop, run
from service_kit.jobs.queue import (
    Done,
    Failed,
    JobStatus,
    LeasedQueue,
    LeasedRow,
    Result,
    RetrySchedule,
    prune_done,
    prune_rows,
    replay_rows,
)
from sqlalchemy import Index, select, update
from sqlalchemy.orm import DeclarativeBase, Session

from tests.testkit.fake_clock import FakeClock


class Base(DeclarativeBase):
    metadata = new_metadata()


class Job(LeasedRow, Base):
    __tablename__ = "jobs"
    __table_args__ = (Index(None, "queue", "status", "next_attempt_at"),)


Handle = Callable[[Job], Result]
DAY = timedelta(days=1)
SCHEDULE = RetrySchedule(first_delays_s=(0.0,), steps=((float("inf"), 3600.0),), jitter=0.0)


@pytest.fixture(autouse=True)
def clock() -> Iterator[None]:
    """Leases last until a test ends them, however long its turns take."""
    with FakeClock().running():
        yield


@pytest.fixture
def app(database_url: str) -> Flask:
    app = Flask("kit-test")
    app.config["SQLALCHEMY_DATABASE_URI"] = database_url
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = engine_options(database_url)
    return app


@pytest.fixture
def db(app: Flask) -> Iterator[Database]:
    db = Database()
    db.init_app(app)
    with app.app_context():
        prepare_engine(db.engine)
        Base.metadata.create_all(db.engine)
    yield db
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


def add_jobs(app: Flask, db: Database, count: int, queue: str = "q") -> None:
    now = utc_now()
    with app.app_context():
        db.in_transaction(
            lambda session: session.add_all(
                Job(queue=queue, next_attempt_at=now, created_at=now) for _ in range(count)
            )
        )


def jobs(app: Flask, db: Database) -> list[Job]:
    with app.app_context(), db.reading() as session:
        rows = list(session.scalars(select(Job).order_by(Job.id)))
        session.expunge_all()
    return rows


def queue_of(db: Database, lease_s: float = 30.0) -> LeasedQueue[Job]:
    return LeasedQueue(db, Job, "q", SCHEDULE, lease_s=lease_s)


def turn(app: Flask, db: Database, handle: Handle, *, lease_s: float = 30.0, concurrency: int = 8) -> bool:
    loop = QueueLoop(app, queue_of(db, lease_s), handle, concurrency=concurrency)
    has_more = loop.turn()
    loop.close()
    return has_more


def test_a_pause_lets_jobs_come_together(app: Flask, db: Database) -> None:
    loop = QueueLoop(app, queue_of(db), lambda _: Done(), concurrency=2, pause_s=3600)
    for _ in range(2):
        add_jobs(app, db, 1)
        loop.turn()
    loop.close()

    assert [job.status for job in jobs(app, db)] == ["done", "pending"]


def test_a_pause_delays_no_job_that_only_found_no_place(app: Flask, db: Database) -> None:
    add_jobs(app, db, 2)
    loop = QueueLoop(app, queue_of(db), lambda _: Done(), concurrency=1, pause_s=3600)
    for _ in range(2):
        loop.turn()
    loop.close()

    assert [job.status for job in jobs(app, db)] == ["done", "done"]


def test_a_queue_takes_only_its_own_rows_that_are_due(app: Flask, db: Database) -> None:
    add_jobs(app, db, 2)
    add_jobs(app, db, 1, queue="other")

    with app.app_context():
        first = queue_of(db).claim(10)
        second = queue_of(db).claim(10)

    assert [(job.queue, job.attempts) for job in first] == [("q", 1), ("q", 1)]
    assert second == []
    assert len({job.lease_id for job in first}) == 1


def test_a_lease_that_ended_is_taken_over(app: Flask, db: Database) -> None:
    add_jobs(app, db, 1)
    with app.app_context():
        queue_of(db, lease_s=0.0).claim(1)
    with app.app_context():
        again = queue_of(db).claim(1)

    assert [job.attempts for job in again] == [2]


def test_a_job_is_done_or_tried_again_or_given_up(app: Flask, db: Database) -> None:
    add_jobs(app, db, 4)
    results: dict[int, Result] = {
        1: Done(),
        2: Failed("not yet"),
        3: Failed("never", max_attempts=1),
        4: Failed("too old", give_up_after=timedelta(0)),
    }

    turn(app, db, lambda job: results[job.id])

    rows = jobs(app, db)
    assert [row.status for row in rows] == [JobStatus.DONE, JobStatus.PENDING, JobStatus.DEAD, JobStatus.DEAD]
    assert [row.last_error for row in rows] == [None, "not yet", "never", "too old"]
    assert [row.lease_id for row in rows] == [None] * 4
    assert rows[0].done_at is not None


def test_a_handler_that_breaks_fails_its_job_and_no_other(app: Flask, db: Database) -> None:
    add_jobs(app, db, 2)

    def handle(job: Job) -> Result:
        if job.id == 1:
            raise RuntimeError("a defect")
        return Done()

    turn(app, db, handle)

    broken, good = jobs(app, db)
    assert (broken.status, broken.last_error) == (JobStatus.PENDING, "defect: RuntimeError")
    assert good.status == JobStatus.DONE


def test_a_turn_takes_no_more_than_it_has_places_and_says_that_there_is_more(
    app: Flask, db: Database
) -> None:
    add_jobs(app, db, 3)

    assert turn(app, db, lambda _job: Done(), concurrency=2) is True
    assert turn(app, db, lambda _job: Done(), concurrency=2) is False
    assert [job.status for job in jobs(app, db)] == [JobStatus.DONE] * 3


def test_a_slow_job_delays_no_other(app: Flask, db: Database) -> None:
    add_jobs(app, db, 2)
    others_done = threading.Event()

    def handle(job: Job) -> Result:
        if job.id == 1:
            assert others_done.wait(timeout=60)
        else:
            others_done.set()
        return Done()

    turn(app, db, handle, concurrency=2)

    assert [job.status for job in jobs(app, db)] == [JobStatus.DONE] * 2


def end_jobs(app: Flask, db: Database, results: Sequence[Result], age: timedelta = timedelta(0)) -> None:
    """Add a job for each result, which it ends with; it was created so long ago, and its lease ended then."""
    ids = [job.id for job in jobs(app, db)]
    add_jobs(app, db, len(results))
    turn(app, db, lambda job: results[job.id - len(ids) - 1])
    then = utc_now() - age
    values = {"created_at": then, "next_attempt_at": then}
    with app.app_context():
        db.in_transaction(
            lambda session: session.execute(update(Job).where(Job.id.not_in(ids)).values(**values))
        )


def test_a_replay_gives_the_chosen_rows_all_their_tries_again(app: Flask, db: Database) -> None:
    end_jobs(app, db, [Failed("never", max_attempts=1), Failed("never", max_attempts=1), Done()], DAY)

    with app.app_context():
        replayed = replay_rows(db, Job, Job.status == JobStatus.DEAD, Job.id.in_([1, 3]), last_error="")
        claimed = queue_of(db).claim(10)

    assert (replayed, [job.id for job in claimed]) == (1, [1])
    again, dead, done = jobs(app, db)
    assert (again.attempts, again.last_error, again.done_at) == (1, "", None)
    assert utc_now() - again.created_at < DAY / 2
    assert (dead.status, dead.attempts, dead.last_error) == (JobStatus.DEAD, 1, "never")
    assert done.status == JobStatus.DONE
    assert done.done_at is not None


def test_a_replay_of_what_was_done_makes_it_due_again(app: Flask, db: Database) -> None:
    end_jobs(app, db, [Done()])

    with app.app_context():
        replayed = replay_rows(db, Job, Job.id == 1)

    (job,) = jobs(app, db)
    assert (replayed, job.status, job.done_at, job.lease_id) == (1, JobStatus.PENDING, None, None)


def test_pruning_deletes_what_was_done_long_ago_in_its_queue_and_nothing_else(
    app: Flask, db: Database
) -> None:
    end_jobs(app, db, [Done(), Failed("not yet"), Failed("never", max_attempts=1), Done()], DAY)
    end_jobs(app, db, [Done()])

    with app.app_context():
        others = prune_done(db, Job, "other", utc_now() - DAY / 2, limit=10)
        some = prune_done(db, Job, "q", utc_now() - DAY / 2, Job.id != 4, limit=10)
        none_left = prune_done(db, Job, "q", utc_now() - DAY / 2, Job.id != 4, limit=10)

    assert (others, some, none_left) == (0, 1, 0)
    assert [job.id for job in jobs(app, db)] == [2, 3, 4, 5]


def test_pruning_deletes_the_oldest_first_and_no_more_than_its_limit(app: Flask, db: Database) -> None:
    for days in (1, 3, 2):
        end_jobs(app, db, [Done()], days * DAY)

    with app.app_context():
        deleted = prune_rows(db, Job, Job.status == JobStatus.DONE, Job.created_at, 2)

    assert (deleted, [job.id for job in jobs(app, db)]) == (2, [1])


def test_pruning_keeps_a_row_that_was_replayed_meanwhile(
    app: Flask, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    end_jobs(app, db, [Done(), Done()])
    in_transaction = db.in_transaction

    def replay_first(work: Callable[[Session], int]) -> int:
        monkeypatch.setattr(db, "in_transaction", in_transaction)
        assert replay_rows(db, Job, Job.id == 1) == 1
        return in_transaction(work)

    with app.app_context():
        monkeypatch.setattr(db, "in_transaction", replay_first)
        deleted = prune_rows(db, Job, Job.status == JobStatus.DONE, Job.created_at, 10)

    assert (deleted, [job.id for job in jobs(app, db)]) == (1, [1])


def test_a_periodic_loop_that_is_hurried_takes_its_turn_at_once(app: Flask) -> None:
    turns = Mock(return_value=0)
    loop = PeriodicLoop(app, "rare", 3600, turns, 1)
    loop.turn()
    loop.turn()
    assert turns.call_count == 1

    loop.hurry()

    assert loop.wake.is_set()
    loop.turn()
    loop.turn()
    assert turns.call_count == 2


def test_to_hurry_in_the_middle_of_a_turn_brings_another(app: Flask) -> None:
    turns: list[PeriodicLoop] = []

    def hurry_once() -> int:
        turns.append(loop)
        if len(turns) == 1:
            loop.hurry()
        return 0

    loop = PeriodicLoop(app, "rare", 3600, hurry_once, 1)
    for _ in range(3):
        loop.turn()

    assert len(turns) == 2


class FailingLoop:
    """A loop whose first turns break; it tells the worker to stop when it went well at last."""

    name = "failing"
    poll_s = 0.5

    def __init__(self) -> None:
        self.wake = threading.Event()
        self.turns = 0

    def turn(self) -> bool:
        self.turns += 1
        if self.turns < 3:
            raise RuntimeError("the database is away")
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(0.05)
        return False


@pytest.mark.engines("sqlite")
def test_a_worker_outlives_its_errors_and_ends_on_sigterm_with_its_jobs_done(
    app: Flask, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service_kit.jobs.loops.PAUSE_AFTER_FAILURE_S", 0.01)
    handlers = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]
    add_jobs(app, db, 3)
    failing = FailingLoop()

    try:
        run([QueueLoop(app, queue_of(db), lambda _job: Done()), failing])
    finally:
        signal.signal(signal.SIGTERM, handlers[0])
        signal.signal(signal.SIGINT, handlers[1])

    assert failing.turns >= 3
    assert [job.status for job in jobs(app, db)] == [JobStatus.DONE] * 3
