"""One process under supervision: it starts, becomes ready, may die, is started again, and may be given up."""

import signal
import subprocess
import time
from dataclasses import dataclass, field
from enum import Enum
from http.client import HTTPException
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from run import spawn
from run.guard import Guard
from run.log_follower import LogFollower
from run.processes import Process, ReadyUrl

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 30.0
QUICK_S = 20.0  # a process that dies younger than this died quickly
QUICK_DEATHS = 5


class State(Enum):
    """Where a process stands."""

    STARTING = "starting"
    READY = "ready"
    PAUSED = "waiting to be started again"
    GIVEN_UP = "given up"


@dataclass(frozen=True)
class Death:
    """How a process ended and what follows; ``pause_s`` is None when it is given up."""

    reason: str
    pause_s: float | None


@dataclass
class Child:
    """A process of the table and its present life."""

    process: Process
    log: Path
    guard: Guard
    state: State = State.PAUSED
    deaths: int = 0
    follower: LogFollower = field(init=False)
    _popen: "subprocess.Popen[bytes] | None" = None
    _started_s: float = 0.0
    _start_at_s: float = 0.0
    _quick_deaths: int = 0

    def __post_init__(self) -> None:
        self.follower = LogFollower(self.log)

    @property
    def pid(self) -> int | None:
        """Its process id while it lives."""
        return self._popen.pid if self._popen else None

    def is_due(self) -> bool:
        """Whether it should be started now."""
        return self.state is State.PAUSED and time.monotonic() >= self._start_at_s

    def start(self) -> None:
        """Start a new life."""
        self._popen = spawn.start(self.process.command, self.process.environment, self.log)
        self.guard.watch(self._popen.pid)
        self._started_s = time.monotonic()
        self.state = State.STARTING

    def check_ready(self, new_lines: list[str]) -> bool:
        """Look whether a starting process is ready now; True once per life."""
        if self.state is not State.STARTING:
            return False
        ready = self.process.ready
        if isinstance(ready, ReadyUrl):
            is_ready = answers_ok(ready.url)
        else:
            is_ready = any(ready.text in line for line in new_lines)
        if is_ready:
            self.state = State.READY
        return is_ready

    def find_death(self) -> Death | None:
        """Notice that the process ended, end what it left behind, and decide what follows."""
        if self._popen is None or (code := self._popen.poll()) is None:
            return None
        self._bury()
        self.deaths += 1
        is_quick = time.monotonic() - self._started_s < QUICK_S
        self._quick_deaths = self._quick_deaths + 1 if is_quick else 1
        if self._quick_deaths >= QUICK_DEATHS:
            self.state = State.GIVEN_UP
            return Death(_reason(code), None)
        pause_s = min(FIRST_PAUSE_S * 2 ** (self._quick_deaths - 1), LONGEST_PAUSE_S)
        self._start_at_s = time.monotonic() + pause_s
        self.state = State.PAUSED
        return Death(_reason(code), pause_s)

    def ask_to_stop(self) -> None:
        """Send SIGTERM: finish what you do, then end."""
        if self._popen:
            self._popen.terminate()

    def bury_if_ended(self) -> None:
        """Notice that it has done as it was asked."""
        if self._popen and self._popen.poll() is not None:
            self._bury()

    def kill(self) -> None:
        """End it and whatever it started, at once."""
        if self._popen:
            spawn.kill_group(self._popen.pid)
            self._popen.wait()
            self._bury()

    def _bury(self) -> None:
        # gunicorn's workers outlive a killed arbiter for a second and would keep its port.
        assert self._popen is not None  # noqa: S101  only the living are buried
        spawn.kill_group(self._popen.pid)
        self.guard.forget(self._popen.pid)
        self._popen = None


def answers_ok(url: str, timeout_s: float = 1.0) -> bool:
    """Whether a GET is answered by 200 now."""
    try:
        with urlopen(url, timeout=timeout_s) as response:  # noqa: S310  an address of our own tables
            return bool(response.status == 200)
    except (URLError, HTTPException, OSError):
        return False


def _reason(code: int) -> str:
    return f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
