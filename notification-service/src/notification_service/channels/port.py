"""The port through which e-mails leave."""

from dataclasses import dataclass, field
from typing import Protocol

from notification_service.values.vocabulary import Outcome


@dataclass(frozen=True, slots=True)
class Email:
    """A finished e-mail; ``content`` is its full text (RFC 5322, CRLF line ends).

    ``id`` is ours and stays the same when the e-mail is sent again.
    """

    id: str
    sender: str
    recipient: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the other side said; ``text`` is ready to be stored (masked, one line)."""

    outcome: Outcome
    text: str


class Channel(Protocol):
    """A way out. Sending twice is allowed, so a repeat must be recognisable at the other end."""

    @property
    def name(self) -> str: ...

    def send(self, email: Email) -> Answer:
        """Hand the e-mail over; whatever goes wrong outside is an answer, never an exception."""
        ...
