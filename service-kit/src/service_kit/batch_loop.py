"""Does the jobs of a queue many at a time, where nobody waits for one and each call costs."""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Generic, TypeVar

import structlog
from flask import Flask

from service_kit.leased_queue import Failed, LeasedQueue, LeasedRow, Result

log = structlog.get_logger(__name__)

Row = TypeVar("Row", bound=LeasedRow)


class BatchLoop(Generic[Row]):
    """Claims up to ``size`` jobs, hands them to ``handle`` at once, and records what became of them.

    It looks every ``gather_s`` seconds at most, so that a few come together; after a full batch at once.
    A worker that is killed in between leaves a lease that runs out, as with ``QueueLoop``: ``handle`` must
    be idempotent at its other end, for each job.
    """

    def __init__(
        self,
        app: Flask,
        queue: LeasedQueue[Row],
        handle: Callable[[Sequence[Row]], Result],
        *,
        size: int = 100,
        gather_s: float = 1.0,
    ) -> None:
        self.name = queue.name
        self._app = app
        self._queue = queue
        self._handle = handle
        self._size = size
        self._gather_s = gather_s
        self._next_s = 0.0

    def turn(self) -> bool:
        """Do one batch, if it is time."""
        if time.monotonic() < self._next_s:
            return False
        with self._app.app_context():
            rows = self._queue.claim(self._size)
            for part, result in self._do(rows) if rows else ():
                self._queue.record_all([(row, result) for row in part])
        is_full = len(rows) == self._size
        if not is_full:
            self._next_s = time.monotonic() + self._gather_s
        return is_full

    def _do(self, rows: Sequence[Row]) -> Iterator[tuple[Sequence[Row], Result]]:
        """Handle the rows; a batch that is refused is halved, until only what is meant is refused."""
        result = self._handle_safely(rows)
        if isinstance(result, Failed) and result.is_refused and len(rows) > 1:
            middle = len(rows) // 2
            yield from self._do(rows[:middle])
            yield from self._do(rows[middle:])
        else:
            yield rows, result

    def _handle_safely(self, rows: Sequence[Row]) -> Result:
        try:
            return self._handle(rows)
        except Exception as exc:
            # A defect that one row brings out must not stop the others for ever: it is halved like a refusal.
            log.exception("batch_failed", queue=self.name, first_job=rows[0].id, jobs=len(rows))
            return Failed(f"defect: {type(exc).__name__}", is_refused=True)
