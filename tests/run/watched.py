"""A program that a test starts and watches from outside."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.system.whole import PATIENT

CHECKOUT = Path(__file__).resolve().parents[2]
# What a Python lacks elsewhere; `hidden` takes it away.
LINUX_ALONE = ("proc", "fcntl", "prctl", "calls")
PATIENCE_S = 300.0  # longer than the product waits: a busy machine fails no test


@dataclass
class Watched:
    """The program, what it printed, and the processes that descend from it."""

    process: "subprocess.Popen[bytes]"
    output: Path

    def printed(self) -> str:
        return self.output.read_text(errors="replace")

    def wait_for(self, text: str) -> None:
        """Wait until it has printed ``text``; fails with all it printed if it ends before."""
        until(lambda: text in self.printed() or self.process.poll() is not None)
        assert text in self.printed(), self.printed()

    def family(self) -> list[psutil.Process]:
        """Everything that it started, and what those started."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def send(self, sig: signal.Signals) -> None:
        self.process.send_signal(sig)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def clear_away(self) -> None:
        """Leave nothing behind, whatever the test did."""
        if self.process.poll() is None:
            family = self.family()
            self.kill()
            for child in family:
                with suppress(psutil.NoSuchProcess):
                    child.kill()


Start = Callable[..., Watched]


@contextmanager
def programs(folder: Path) -> Iterator[Start]:
    """Start programs of the checkout, with settings added to their environment; they end with the block."""
    started: list[Watched] = []

    def start_it(*words: str, **environment: str) -> Watched:
        output = folder / f"output-{len(started)}.txt"
        with output.open("wb") as file:
            process = subprocess.Popen(
                (sys.executable, *words),
                cwd=CHECKOUT,
                env={**os.environ, **PATIENT, "PYTHONPATH": _on_path(str(CHECKOUT)), **environment},
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        started.append(Watched(process, output))
        return started[-1]

    try:
        yield start_it
    finally:
        for watched in started:
            watched.clear_away()


def hidden(*names: str) -> dict[str, str]:
    """Return the environment of a program that lacks these, and whose programs lack them too."""
    folder = Path(__file__).with_name("elsewhere")
    return {"PYTHONPATH": _on_path(str(folder), str(CHECKOUT)), "HIDDEN": " ".join(names)}


def _on_path(*folders: str) -> str:
    """Return a PYTHONPATH of these, before what we were given ourselves."""
    return os.pathsep.join(filter(None, [*folders, os.environ.get("PYTHONPATH")]))


def until(is_so: Callable[[], object]) -> None:
    """Wait until something is so; the bound only ends a test that would hang."""
    deadline_s = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < deadline_s, "it never came to be so"
        time.sleep(0.05)


def is_alive(process: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def assert_all_end(processes: list[psutil.Process]) -> None:
    """Every one of these processes ends soon."""
    assert processes
    until(lambda: not any(is_alive(process) for process in processes))
