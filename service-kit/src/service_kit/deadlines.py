"""How much time the present request, or piece of background work, still has."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment on the monotonic clock of this process; it means nothing to another one."""

    at_s: float

    @classmethod
    def after(cls, seconds: float) -> "Deadline":
        return cls(time.monotonic() + seconds)

    def remaining_s(self) -> float:
        """Return the seconds left, 0 once it has passed."""
        return max(0.0, self.at_s - time.monotonic())

    @property
    def has_passed(self) -> bool:
        return time.monotonic() >= self.at_s


_current: ContextVar[Deadline | None] = ContextVar("deadline", default=None)


def current_deadline() -> Deadline | None:
    return _current.get()


def time_left_s(limit_s: float) -> float:
    """Return the smaller of ``limit_s`` and what the current deadline leaves."""
    deadline = _current.get()
    return limit_s if deadline is None else min(limit_s, deadline.remaining_s())


@contextmanager
def time_budget(seconds: float) -> Iterator[Deadline]:
    """Give the enclosed work at most ``seconds``, and never more than what surrounds it has."""
    deadline = Deadline.after(time_left_s(seconds))
    token = _current.set(deadline)
    try:
        yield deadline
    finally:
        _current.reset(token)
