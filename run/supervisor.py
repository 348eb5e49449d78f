"""Keeps the processes running until somebody stops it: one thread, one loop, five looks a second."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from run.child import Child, State
from run.guard import Guard
from run.log_follower import last_lines, remark
from run.processes import Process
from run.stop_signals import StopSignals
from run.terminal import Terminal, shown_path

TICK_S = 0.2
STOP_PATIENCE_S = 5.0
READY_PATIENCE_S = 90.0
SHOWN_LINES = 3  # of one process in one look; the rest is in its log


class Supervisor:
    """Starts every process of a table, starts the dead ones again, and stops all in the end."""

    def __init__(
        self,
        table: Sequence[Process],
        *,
        logs: Path,
        terminal: Terminal,
        guard: Guard,
        stop: StopSignals,
        on_ready: Callable[[list[str]], None],
    ) -> None:
        """``on_ready`` is called once, with the names of processes that did not become ready."""
        self._children = [Child(process, logs / f"{process.name}.log", guard) for process in table]
        self._terminal = terminal
        self._stop_signals = stop
        self._on_ready = on_ready
        self._ready_deadline_s: float | None = time.monotonic() + READY_PATIENCE_S

    def run(self) -> None:
        """Run until a signal asks for the end, then stop everything and return."""
        try:
            while not self._stop_signals.is_asked:
                for child in self._children:
                    self._look_after(child)
                self._report_once_ready()
                time.sleep(TICK_S)
        finally:
            self._terminal.say("stopping (Ctrl-C again to kill)")
            self._stop()

    def _look_after(self, child: Child) -> None:
        name = child.process.name
        if child.is_due():
            self._start(child)
        lines = list(child.follower.new_lines()) if child.log.exists() else []
        self._show(child, lines)
        if child.check_ready(lines) and child.deaths:
            self._terminal.about(name, "ready again", "green")
        death = child.find_death()
        if death is None:
            return
        if child.deaths == 1 or death.pause_s is None:
            self._quote_log(child)
        if death.pause_s is None:
            self._terminal.about(
                name, f"{death.reason}, again and again: given up; the others live on", "bold red"
            )
        else:
            self._terminal.about(name, f"{death.reason}; started again in {death.pause_s:g} s", "yellow")

    def _start(self, child: Child) -> None:
        try:
            child.start()
        except OSError as exc:
            child.state = State.GIVEN_UP
            self._terminal.about(child.process.name, f"cannot be started: {exc}", "bold red")

    def _show(self, child: Child, lines: list[str]) -> None:
        remarks = [text for line in lines if (text := remark(line))]
        for text in remarks[:SHOWN_LINES]:
            self._terminal.about(child.process.name, text)
        if len(remarks) > SHOWN_LINES:
            more = len(remarks) - SHOWN_LINES
            self._terminal.about(child.process.name, f"… and {more} more in {shown_path(child.log)}")

    def _quote_log(self, child: Child) -> None:
        for line in last_lines(child.log, 4):
            self._terminal.about(child.process.name, f"  {line}", "dim")
        self._terminal.about(child.process.name, f"  (log: {shown_path(child.log)})", "dim")

    def _report_once_ready(self) -> None:
        if self._ready_deadline_s is None:
            return
        waiting = [child for child in self._children if child.state in (State.STARTING, State.PAUSED)]
        if waiting and time.monotonic() < self._ready_deadline_s:
            return
        self._ready_deadline_s = None
        self._on_ready([child.process.name for child in self._children if child.state is not State.READY])

    def _stop(self) -> None:
        """Ask everybody to finish, in the reverse order of starting; kill who does not in time."""
        for child in reversed(self._children):
            child.ask_to_stop()
        deadline_s = time.monotonic() + STOP_PATIENCE_S
        while any(child.pid for child in self._children):
            for child in self._children:
                child.bury_if_ended()
            if time.monotonic() > deadline_s or self._stop_signals.is_insisted:
                break
            time.sleep(0.05)
        for child in self._children:
            if child.pid:
                self._terminal.about(child.process.name, "did not stop in time and was killed", "yellow")
                child.kill()
