"""E-mails as files, where no mail server is configured: any mail program opens them."""

import secrets
from pathlib import Path

from notification_service.channels.port import Answer, Email
from notification_service.values.safe_text import loggable_answer
from notification_service.values.vocabulary import Outcome


class EmlFilesChannel:
    """Writes each e-mail to ``<id>.eml``; sent again it replaces the same file."""

    name = "eml_files"

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def send(self, email: Email) -> Answer:
        """Write the file whole or not at all: temporary name, rename.

        It is not forced to the disk: on a busy machine that made every database on it wait, and who needs
        e-mails to outlast a power cut has a mail server.
        """
        target = self._folder / f"{email.id}.eml"
        temporary = self._folder / f".{email.id}.{secrets.token_hex(4)}.tmp"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            try:
                temporary.write_bytes(email.content)
                temporary.replace(target)
            finally:
                temporary.unlink(missing_ok=True)
        except OSError as exc:
            return Answer(Outcome.FAILED, loggable_answer(f"{type(exc).__name__}: {exc.strerror}"))
        return Answer(Outcome.SENT, f"written to {target.name}")
