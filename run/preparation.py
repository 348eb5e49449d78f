"""What is done once before the processes start: migrations, then seeds and the gateway's file."""

import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from run import spawn
from run.guard import Guard
from run.log_follower import last_lines
from run.preconditions import CannotStart
from run.processes import Task
from run.stop_signals import StopSignals


class Interrupted(Exception):
    """A signal asked for the end while something was being prepared."""


def do_all(tasks: Sequence[Task], logs: Path, guard: Guard, stop: StopSignals) -> None:
    """Do the tasks at the same time; each can be done again after it was killed half-way.

    Raises:
        CannotStart: one failed; the message ends with its log.
        Interrupted: we were told to stop; the tasks are killed.
    """
    running: list[tuple[Task, subprocess.Popen[bytes]]] = []
    try:
        for task in tasks:
            running.append((task, _start(task, logs, guard)))
        while any(process.poll() is None for _, process in running):
            if stop.is_asked:
                raise Interrupted
            time.sleep(0.05)
    finally:
        for _, process in running:
            spawn.kill_group(process.pid)
            process.wait()
            guard.forget(process.pid)
    for task, process in running:
        if process.returncode != 0:
            raise CannotStart(_failure(task, process.returncode, logs / f"{task.name}.log"))


def _start(task: Task, logs: Path, guard: Guard) -> "subprocess.Popen[bytes]":
    log = logs / f"{task.name}.log"
    log.unlink(missing_ok=True)
    try:
        process = spawn.start(task.command, task.environment, log)
    except OSError as exc:
        raise CannotStart(
            f"{task.command[0]} cannot be run ({exc.strerror}). The environment is broken: "
            "remove the folder .venv and run make again."
        ) from exc
    guard.watch(process.pid)
    return process


def _failure(task: Task, code: int, log: Path) -> str:
    lines = [f"{task.name} failed (exit code {code}):", *(f"    {line}" for line in last_lines(log, 12))]
    lines.append(f"The whole log: {log}")
    if task.name.startswith("migrate-"):
        lines.append(
            "Running again goes on where it stopped. If the data is of no use (another version made it, or "
            "the file is damaged), `make clean` removes all of it."
        )
    return "\n".join(lines)
