"""A clock in a test's hands: no deadline passes, and no lease ends, because the machine is busy."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta, tzinfo
from threading import Lock
from types import ModuleType
from unittest.mock import patch

from service_kit import clock, deadlines
from service_kit.db import connections

# So that no two things happen at the same moment.
TICK = timedelta(milliseconds=1)
DATABASE_PATIENCE_S = 120.0


class FakeClock:
    """Stands for the wall clock and for the one of deadlines; it moves by a tick whenever it is looked at."""

    def __init__(self, start: datetime | None = None) -> None:
        self._start = start or clock.utc_now()
        self._elapsed = timedelta()
        self._lock = Lock()

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        with self._lock:
            self._elapsed += timedelta(seconds=seconds)

    def now(self, _zone: tzinfo | None = None) -> datetime:
        """Return the present moment, a little later than the last one."""
        with self._lock:
            self._elapsed += TICK
            return self._start + self._elapsed

    def monotonic(self) -> float:
        """Return the present moment in seconds."""
        return self.now().timestamp()

    def sleep(self, seconds: float) -> None:
        """Let the time pass that somebody sleeps, at once; another thread may go on meanwhile."""
        self.advance(seconds)
        time.sleep(0)

    @contextmanager
    def running(self, *timed: ModuleType) -> Iterator[None]:
        """Let this process have this time: its wall clock, its deadlines, and what else is ``timed``."""
        with ExitStack() as held:
            held.enter_context(patch.object(clock, "datetime", self))
            # What is over on this clock is not for the database, which has the machine's.
            held.enter_context(patch.object(connections, "SHORTEST_WAIT_S", DATABASE_PATIENCE_S))
            for module in (deadlines, *timed):
                held.enter_context(patch.object(module, "time", self))
            yield
