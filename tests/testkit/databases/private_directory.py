"""Temporary directories that do not pile up when their process is killed."""

import fcntl
import os
import shutil
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import ClassVar

_ABANDONED_AFTER_S = 60


class PrivateDirectory:
    """A temporary directory whose lock vanishes with this process, so that a later one can clear it away."""

    PREFIX: ClassVar[str] = "private-database-"

    def __init__(self, parent: Path | None = None) -> None:
        folder = parent or Path(tempfile.gettempdir())
        _remove_abandoned(folder)
        self.path = Path(tempfile.mkdtemp(prefix=self.PREFIX, dir=folder))
        self._lock = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
        fcntl.flock(self._lock, fcntl.LOCK_EX)

    def remove(self) -> None:
        """Delete the directory with everything in it."""
        shutil.rmtree(self.path)
        os.close(self._lock)


def _remove_abandoned(parent: Path) -> None:
    for path in parent.glob(f"{PrivateDirectory.PREFIX}*"):
        with suppress(OSError):  # somebody else's, in use, or just removed by another run
            if time.time() - path.stat().st_mtime < _ABANDONED_AFTER_S:
                continue  # may be new and not locked yet
            lock = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(path)
            finally:
                os.close(lock)
