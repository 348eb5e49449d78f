"""Time and chance of one process, in a test's hands: a sequence that is played again is the same one."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, tzinfo
from unittest.mock import patch

START = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
# So that no two things happen at the same moment.
TICK = timedelta(milliseconds=1)
# Merchants, clients and keys are made before a sequence begins, and are there in each of them.
BEFORE = timedelta(hours=1)


class FakeClock:
    """Stands for the wall clock, for the one of deadlines, and for the randomness of public ids."""

    def __init__(self) -> None:
        self._elapsed = -BEFORE
        self._random = random.Random(0)

    def restart(self) -> None:
        """Begin again, for a new sequence."""
        self._elapsed = timedelta()
        self._random = random.Random(1)

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._elapsed += timedelta(seconds=seconds)

    def now(self, _zone: tzinfo | None = None) -> datetime:
        """Return the present moment, a little later than the last one."""
        self._elapsed += TICK
        return START + self._elapsed

    def time_ns(self) -> int:
        """Return it as new ids hold it."""
        return int((START + self._elapsed).timestamp() * 1000) * 1_000_000

    def monotonic(self) -> float:
        """Return the present moment in seconds: a machine that is busy lets no deadline pass."""
        return (self.now() - START).total_seconds()

    def randbits(self, bits: int) -> int:
        """Return the chance in a new id."""
        return self._random.getrandbits(bits)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Let all services of this process have this time."""
        with (
            patch("service_kit.clock.datetime", self),
            patch("service_kit.deadlines.time", self),
            patch("service_kit.ids.time", self),
            patch("service_kit.ids.secrets", self),
        ):
            yield
