"""Reads what a process writes to its log, and picks what a person should see at once."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

_SHOWN_LEVELS = {"warning", "error", "critical"}
# gunicorn, the gateway and Python's own logging put the level into a plain line.
_PLAIN = re.compile(r"\b(WARNING|ERROR|CRITICAL)\b|^Traceback ")
_NOT_DETAILS = {"event", "level", "timestamp", "service", "exception", "request_id"}


class LogFollower:
    """Follows one file from where it ends now."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = path.stat().st_size if path.exists() else 0

    def new_lines(self) -> Iterator[str]:
        """Give the lines that were completed since the last call."""
        with self._path.open("rb") as file:
            file.seek(self._offset)
            for line in file:
                if not line.endswith(b"\n"):
                    break
                self._offset += len(line)
                yield line.decode(errors="replace").rstrip()


def remark(line: str) -> str | None:
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


def last_lines(path: Path, number: int) -> list[str]:
    """Return the end of a log, for a message that says why something failed."""
    return path.read_text(errors="replace").splitlines()[-number:] if path.exists() else []
