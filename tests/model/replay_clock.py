"""Time and chance of one process, in a test's hands: a sequence that is played again is the same one."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from types import ModuleType
from unittest.mock import patch

from tests.testkit.fake_clock import FakeClock

START = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
# Merchants, clients and keys are made before a sequence begins, and are there in each of them.
BEFORE = timedelta(hours=1)


class ReplayClock(FakeClock):
    """Stands for the clocks, and for the randomness of public ids."""

    def __init__(self) -> None:
        super().__init__(START)
        self._elapsed = -BEFORE
        self._random = random.Random(0)

    def restart(self) -> None:
        """Begin again, for a new sequence."""
        self._elapsed = timedelta()
        self._random = random.Random(1)

    def time_ns(self) -> int:
        """Return it as new ids hold it."""
        return int((START + self._elapsed).timestamp() * 1000) * 1_000_000

    def randbits(self, bits: int) -> int:
        """Return the chance in a new id."""
        return self._random.getrandbits(bits)

    @contextmanager
    def running(self, *timed: ModuleType) -> Iterator[None]:
        """Let all services of this process have this time."""
        with (
            super().running(*timed),
            patch("service_kit.ids.time", self),
            patch("service_kit.ids.secrets", self),
        ):
            yield
