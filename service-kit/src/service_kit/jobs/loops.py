"""The background process of a service: a few loops, one thread each, until it is told to stop."""

import signal
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from types import FrameType
from typing import Generic, Protocol, TypeVar

import structlog
from flask import Flask

from service_kit.db.database import DatabaseUnavailable
from service_kit.jobs.queue import Failed, LeasedQueue, LeasedRow, Result
from service_kit.process.garbage import calm_garbage_collector
from service_kit.process.memory import keep_memory_private

log = structlog.get_logger(__name__)

POLL_S = 0.5
PAUSE_AFTER_FAILURE_S = 1.0
# A loop that is woken again and again begins its turns so far apart: the busier a worker is, the less each
# job costs.
BETWEEN_TURNS_S = 0.1
# What is done within this time is recorded in one transaction.
RECORD_WITHIN_S = 0.04
Row = TypeVar("Row", bound=LeasedRow)


class Loop(Protocol):
    """Something that is done again and again; ``turn`` says whether there may be more at once.

    It gets its next turn after ``poll_s`` seconds at the latest, and when ``wake`` is set.
    """

    name: str
    poll_s: float
    wake: threading.Event

    def turn(self) -> bool: ...


class QueueLoop(Generic[Row]):
    """Does the jobs of one queue, ``concurrency`` at a time, so that a slow one delays no other.

    Where nobody waits for a job, ``pause_s`` lets a few come together: so long, at least, it does not look
    again unless it found as many as it could take. What is done waits for ``record_within_s`` to be recorded
    with others: a worker that is killed meanwhile leaves it to be done twice.
    """

    poll_s = POLL_S

    def __init__(
        self,
        app: Flask,
        queue: LeasedQueue[Row],
        handle: Callable[[Row], Result],
        *,
        concurrency: int = 8,
        pause_s: float = 0.0,
        record_within_s: float = RECORD_WITHIN_S,
    ) -> None:
        self.name = queue.name
        self.wake = threading.Event()
        self._app = app
        self._queue = queue
        self._handle = handle
        self._concurrency = concurrency
        self._pause_s = pause_s
        self._record_within_s = record_within_s
        self._next_s = 0.0
        self._free = threading.Semaphore(concurrency)
        self._pool = ThreadPoolExecutor(concurrency, thread_name_prefix=queue.name)
        self._finished: SimpleQueue[tuple[Row, Result] | None] = SimpleQueue()
        self._recorder = threading.Thread(target=self._record, name=f"{queue.name}-recorder", daemon=True)
        self._recorder.start()

    def turn(self) -> bool:
        """Claim as many jobs as there are free places, and start them, if it is time."""
        if time.monotonic() < self._next_s:
            return False
        places = self._take_places()
        if places == 0:
            return False
        rows: list[Row] = []
        try:
            with self._app.app_context():
                rows = self._queue.claim(places)
        finally:
            for _ in range(places - len(rows)):
                self._free.release()
        for row in rows:
            self._pool.submit(self._do, row)
        found_all = len(rows) < places
        if found_all:
            self._next_s = time.monotonic() + self._pause_s
        return not found_all

    def close(self) -> None:
        """Wait for every job that was claimed: one that was dropped would lie idle until its lease ends."""
        self._pool.shutdown(wait=True)
        self._finished.put(None)
        self._recorder.join()

    def _take_places(self) -> int:
        places = 0
        # One place is waited for; the others only if they are free anyway.
        while places < self._concurrency and self._free.acquire(timeout=POLL_S if places == 0 else 0):
            places += 1
        return places

    def _do(self, row: Row) -> None:
        try:
            with self._app.app_context():
                result = self._handle(row)
        except Exception as exc:
            log.exception("job_failed", queue=self.name, job=row.id)
            result = Failed(f"defect: {type(exc).__name__}")
        self._finished.put((row, result))
        self._free.release()

    def _record(self) -> None:
        """Record what is done, a little at a time together, until ``close``."""
        is_open = True
        while is_open:
            batch = [self._finished.get()]
            if batch != [None]:
                time.sleep(self._record_within_s)
            while not self._finished.empty():
                batch.append(self._finished.get())
            is_open = None not in batch
            self._record_batch([finished for finished in batch if finished is not None])

    def _record_batch(self, batch: Sequence[tuple[Row, Result]]) -> None:
        try:
            with self._app.app_context():
                self._queue.record_all(batch)
        except Exception:
            # The leases run out by themselves and the jobs are done again; the worker must live on.
            log.exception("jobs_not_recorded", queue=self.name, jobs=[row.id for row, _ in batch])


class Background:
    """Loops at work, one thread each, from ``start`` to ``stop``; a web process may have some too."""

    def __init__(self, loops: Sequence[Loop]) -> None:
        self._loops = loops
        self._stopping = threading.Event()
        # Daemons: a web process that is ended without `stop` must not wait for them.
        self._threads = [
            threading.Thread(target=_run_loop, args=(loop, self._stopping), name=loop.name, daemon=True)
            for loop in loops
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()
        log.info("worker_started", loops=[loop.name for loop in self._loops])

    def stop(self) -> None:
        """Stop every loop; running jobs are finished first."""
        self._stopping.set()
        for loop in self._loops:
            loop.wake.set()
        for thread in self._threads:
            thread.join()
        for loop in self._loops:
            if isinstance(loop, QueueLoop):
                loop.close()
        log.info("worker_stopped")


def run(loops: Sequence[Loop]) -> None:
    """Run every loop in a thread of its own until SIGTERM or SIGINT; running jobs are finished first."""
    told_to_stop = threading.Event()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        told_to_stop.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    background = Background(loops)
    calm_garbage_collector()
    keep_memory_private()
    background.start()
    told_to_stop.wait()
    background.stop()


def _run_loop(loop: Loop, stopping: threading.Event) -> None:
    while not stopping.is_set():
        began_s = time.monotonic()
        loop.wake.clear()
        try:
            has_more = loop.turn()
        except DatabaseUnavailable as exc:
            log.warning("loop_waits_for_database", loop=loop.name, reason=str(exc))
            stopping.wait(PAUSE_AFTER_FAILURE_S)
            continue
        except Exception:
            # Whatever it was, the next turn may go well.
            log.exception("loop_failed", loop=loop.name)
            stopping.wait(PAUSE_AFTER_FAILURE_S)
            continue
        if not has_more and loop.wake.wait(loop.poll_s):
            stopping.wait(began_s + BETWEEN_TURNS_S - time.monotonic())


class PeriodicLoop:
    """Does one thing every ``interval_s`` seconds, at once when it is hurried, and again at once while it
    finds full batches."""

    def __init__(self, app: Flask, name: str, interval_s: float, do: Callable[[], int], batch: int) -> None:
        self.name = name
        self.wake = threading.Event()
        self.poll_s = min(POLL_S, interval_s)
        self._app = app
        self._interval_s = interval_s
        self._do = do
        self._batch = batch
        self._is_hurried = False
        self._next_s = 0.0

    def hurry(self) -> None:
        """Let the next turn come now; any thread may call it."""
        self._is_hurried = True
        self.wake.set()

    def turn(self) -> bool:
        if not self._is_hurried and time.monotonic() < self._next_s:
            return False
        self._is_hurried = False
        with self._app.app_context():
            done = self._do()
        if done < self._batch:
            self._next_s = time.monotonic() + self._interval_s
        return done >= self._batch
