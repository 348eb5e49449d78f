"""Letters as files, where no mail server is configured: any mail program opens them."""

import os
import secrets
from pathlib import Path

from notification_service.channels.port import Answer, Letter
from notification_service.values.safe_text import loggable_answer
from notification_service.values.vocabulary import Outcome


class EmlFilesChannel:
    """Writes each letter to ``<id>.eml``; sent again it replaces the same file."""

    name = "eml_files"

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def send(self, letter: Letter) -> Answer:
        """Write the file whole and durable, or not at all: temporary name, fsync, rename."""
        target = self._folder / f"{letter.id}.eml"
        temporary = self._folder / f".{letter.id}.{secrets.token_hex(4)}.tmp"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            try:
                _write_durably(temporary, letter.content)
                temporary.replace(target)
                _make_rename_durable(self._folder)
            finally:
                temporary.unlink(missing_ok=True)
        except OSError as exc:
            return Answer(Outcome.FAILED, loggable_answer(f"{type(exc).__name__}: {exc.strerror}"))
        return Answer(Outcome.SENT, f"written to {target.name}")


def _make_rename_durable(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write_durably(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
