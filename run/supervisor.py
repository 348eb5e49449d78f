"""Keeps the processes running until somebody stops it: one thread, one loop, five looks a second."""

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from enum import Enum, auto
from pathlib import Path

import requests
from rich.console import Console
from rich.text import Text

from run import spawn
from run.guard import Guard
from run.processes import Process, ReadyUrl

LOOK_EVERY_S = 0.2
READY_WITHIN_S = 90.0
STOP_WITHIN_S = 5.0
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 30.0
EARLY_S = 20.0  # a process that ends sooner than this after its start ends early
EARLY_ENDS = 5
SHOWN_LINES = 3  # of one process in one look; the rest is in its log

_COLOURS = ("cyan", "magenta", "green", "blue", "yellow", "bright_cyan", "bright_magenta", "bright_green")
_SHOWN_LEVELS = {"warning", "error", "critical"}
# gunicorn, the gateway and Python's own logging put the level into a plain line.
_PLAIN = re.compile(r"\b(WARNING|ERROR|CRITICAL)\b|^Traceback ")
_NOT_DETAILS = {"event", "level", "timestamp", "service", "exception", "request_id"}


class StopSignals:
    """Ctrl-C, SIGTERM and a closed terminal: asked once, a run ends in order; asked again, at once.

    The end of ``parent`` asks too. No signal says that on every system, so it is looked at.
    """

    def __init__(self, parent: int | None = None) -> None:
        self._parent = parent
        self._times_s: list[float] = []
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda *_: self._times_s.append(time.monotonic()))

    @property
    def is_asked(self) -> bool:
        return bool(self._times_s) or self._parent not in {None, os.getppid()}

    @property
    def is_asked_again(self) -> bool:
        # Ctrl-C under make may arrive twice: from the terminal and from make.
        return bool(self._times_s) and self._times_s[-1] - self._times_s[0] > 0.5


class Terminal:
    """Prints texts, and lines that begin with the name of the process they are about, in its colour."""

    def __init__(self, names: Sequence[str]) -> None:
        self._console = Console(highlight=False, soft_wrap=True)
        self._colours = {name: _COLOURS[number % len(_COLOURS)] for number, name in enumerate(names)}
        self._width = max(map(len, names), default=0)

    def about(self, name: str, line: str, style: str = "") -> None:
        prefix = Text(f"{name:<{self._width}} │ ", style=self._colours[name])
        self._console.print(prefix + Text(line, style=style))

    def say(self, text: str, style: str = "") -> None:
        self._console.print(Text(text, style=style))


class State(Enum):
    STARTING = auto()
    READY = auto()
    PAUSED = auto()  # until it is started, or started again
    GIVEN_UP = auto()


class Child:
    """A process of the table: it starts, becomes ready, may end, is started again, and may be given up."""

    def __init__(self, process: Process, log: Path, guard: Guard, terminal: Terminal) -> None:
        self.process = process
        self.state = State.PAUSED
        self._log = log
        self._new_lines = follow(log)
        self._guard = guard
        self._terminal = terminal
        self._popen: subprocess.Popen[bytes] | None = None
        self._start_at_s = self._started_s = 0.0
        self._ends = self._early_ends = 0

    @property
    def is_running(self) -> bool:
        return self._popen is not None

    def look_after(self) -> None:
        """Start it if that is due, show its warnings, and notice that it is ready or has ended."""
        if self.state is State.PAUSED and time.monotonic() >= self._start_at_s:
            self._start()
        if self.state is State.GIVEN_UP:
            return
        code = self._popen.poll() if self._popen else None  # before its log is read: all it wrote is shown
        lines = next(self._new_lines)
        self._show(lines)
        if self.state is State.STARTING and self._is_ready(lines):
            self.state = State.READY
            if self._ends:
                self._say("ready again", "green")
        if code is not None:
            self._handle_end(code)

    def ask_to_stop(self) -> None:
        """Send SIGTERM: finish what you do, then end."""
        if self._popen:
            self._popen.terminate()

    def clean_up_if_ended(self) -> None:
        if self._popen and self._popen.poll() is not None:
            self._clean_up(self._popen)

    def kill(self) -> None:
        """End it and whatever it started, at once."""
        if self._popen:
            self._say("did not stop in time and was killed", "yellow")
            self._clean_up(self._popen)

    def _start(self) -> None:
        try:
            self._popen = spawn.start(self.process.command, self.process.environment, self._log)
        except OSError as exc:
            self.state = State.GIVEN_UP
            self._say(f"cannot be started: {exc}", "bold red")
            return
        self._guard.watch(self._popen.pid)
        self._started_s = time.monotonic()
        self.state = State.STARTING

    def _is_ready(self, new_lines: Sequence[str]) -> bool:
        ready = self.process.ready
        if not isinstance(ready, ReadyUrl):
            return any(ready.text in line for line in new_lines)
        try:
            return requests.get(ready.url, timeout=1).status_code == 200
        except requests.RequestException:
            return False

    def _handle_end(self, code: int) -> None:
        assert self._popen is not None  # noqa: S101  it has just ended
        self._clean_up(self._popen)
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
        is_early = time.monotonic() - self._started_s < EARLY_S
        self._ends += 1
        self._early_ends = self._early_ends + 1 if is_early else 1
        is_given_up = self._early_ends >= EARLY_ENDS
        if self._ends == 1 or is_given_up:
            for line in (*last_lines(self._log, 4), f"(log: {shown_path(self._log)})"):
                self._say(f"  {line}", "dim")
        if is_given_up:
            self.state = State.GIVEN_UP
            self._say(f"{how}, again and again: given up; the others live on", "bold red")
        else:
            pause_s = min(FIRST_PAUSE_S * 2 ** (self._early_ends - 1), LONGEST_PAUSE_S)
            self._start_at_s = time.monotonic() + pause_s
            self.state = State.PAUSED
            self._say(f"{how}; started again in {pause_s:g} s", "yellow")

    def _clean_up(self, popen: "subprocess.Popen[bytes]") -> None:
        # gunicorn's workers outlive a killed arbiter for a second and would keep its port.
        spawn.kill_group(popen.pid)
        popen.wait()
        self._guard.forget(popen.pid)
        self._popen = None

    def _show(self, lines: Sequence[str]) -> None:
        warnings = [text for line in lines if (text := warning(line))]
        for text in warnings[:SHOWN_LINES]:
            self._say(text)
        if len(warnings) > SHOWN_LINES:
            self._say(f"… and {len(warnings) - SHOWN_LINES} more in {shown_path(self._log)}")

    def _say(self, line: str, style: str = "") -> None:
        self._terminal.about(self.process.name, line, style)


def supervise(
    table: Sequence[Process],
    *,
    logs: Path,
    terminal: Terminal,
    guard: Guard,
    stop: StopSignals,
    on_ready: Callable[[list[str]], None],
) -> None:
    """Start every process, start again those that end, and stop all when a signal asks for it.

    ``on_ready`` is called once, with the names of processes that did not become ready.
    """
    children = [Child(process, logs / f"{process.name}.log", guard, terminal) for process in table]
    report_by_s = time.monotonic() + READY_WITHIN_S
    is_reported = False
    try:
        while not stop.is_asked:
            for child in children:
                child.look_after()
            is_waiting = any(child.state in (State.STARTING, State.PAUSED) for child in children)
            if not is_reported and (not is_waiting or time.monotonic() >= report_by_s):
                is_reported = True
                on_ready([child.process.name for child in children if child.state is not State.READY])
            time.sleep(LOOK_EVERY_S)
    finally:
        terminal.say("stopping (Ctrl-C again to kill)")
        _stop(children, stop)


def _stop(children: Sequence[Child], stop: StopSignals) -> None:
    """Ask every process to finish, in the reverse order of starting; kill those that do not in time."""
    for child in reversed(children):
        child.ask_to_stop()
    deadline_s = time.monotonic() + STOP_WITHIN_S
    while any(child.is_running for child in children):
        for child in children:
            child.clean_up_if_ended()
        if time.monotonic() > deadline_s or stop.is_asked_again:
            break
        time.sleep(0.05)
    for child in children:
        child.kill()


def follow(log: Path) -> Iterator[list[str]]:
    """Yield the lines that were completed since the last time; the log need not exist before the first."""
    unfinished = b""
    with log.open("rb") as file:
        while True:
            *lines, unfinished = (unfinished + file.read()).split(b"\n")
            yield [line.decode(errors="replace").rstrip() for line in lines]


def warning(line: str) -> str | None:
    """Return what to show of a log line: warnings and errors in a few words, nothing of the rest."""
    if not line.startswith("{"):
        return line if _PLAIN.search(line) else None
    try:
        entry = json.loads(line)
    except json.JSONDecodeError:
        return None
    if entry.get("level") not in _SHOWN_LEVELS:
        return None
    details = " ".join(f"{key}={value}" for key, value in entry.items() if key not in _NOT_DETAILS)
    reason = str(entry.get("exception", "")).rpartition("\n")[2]
    return " · ".join(part for part in (f"{entry['level']}: {entry.get('event')}", details, reason) if part)


def last_lines(log: Path, number: int) -> list[str]:
    """Return the end of a log, for a message that says why something failed."""
    return log.read_text(errors="replace").splitlines()[-number:] if log.exists() else []


def shown_path(path: Path) -> str:
    """Write a path as short as it can be read from here."""
    return os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path)
