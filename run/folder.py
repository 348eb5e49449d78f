"""The folder of a run: one run's at a time, and nobody else's to read."""

import os
import sqlite3
from pathlib import Path

from run.settings import RunSettings


class CannotStart(Exception):
    """Something that a person must put right; the message says what and how."""


class RunLock:
    """The folder belongs to one run.

    The lock is SQLite's, so it is there wherever our databases work, and goes with its process however that
    went.
    """

    def __init__(self, run_dir: Path) -> None:
        self._file, self._pid = run_dir / "run.lock", run_dir / "run.pid"
        try:
            self._lock = sqlite3.connect(self._file, timeout=0, isolation_level=None)
        except sqlite3.OperationalError as exc:
            raise self._fault(exc) from exc

    def take(self) -> None:
        """Take the lock and write our process id beside it.

        Raises:
            CannotStart: another run holds it, or it cannot be made here.
        """
        if not self._try():
            raise CannotStart(
                f"Another `make run` is running here (process {self.holder()}). Stop it with Ctrl-C in its "
                "terminal, or give this one a folder and ports of its own (RUN_DIR, GATEWAY_PORT, …)."
            )
        self._pid.write_text(str(os.getpid()))

    def is_held(self) -> bool:
        """Whether another process holds it now."""
        if self._try():
            self._lock.execute("ROLLBACK")
            return False
        return True

    def holder(self) -> str:
        """The process id that the last holder wrote."""
        return (self._pid.read_text() if self._pid.exists() else "") or "unknown"

    def _try(self) -> bool:
        try:
            self._lock.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as exc:
            if exc.sqlite_errorcode == sqlite3.SQLITE_BUSY:
                return False
            raise self._fault(exc) from exc
        return True

    def _fault(self, exc: sqlite3.Error) -> CannotStart:
        return CannotStart(f"{self._file} cannot be locked: {exc}.")


def close_to_others(settings: RunSettings) -> None:
    """Let nobody else read what an earlier version left here; the umask closes what is made from now on."""
    for path in (settings.logs, settings.mail, *settings.run_dir.glob("*.db*")):
        if path.exists():
            path.chmod(path.stat().st_mode & ~0o077)
