"""The address of a mail server as one setting: ``smtp://user:password@host:587?starttls=required``."""

from dataclasses import dataclass, field
from urllib.parse import parse_qs, unquote, urlsplit

_DEFAULT_PORTS = {"smtp": 25, "smtps": 465}


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """Where and how to reach the server; ``timeout_s`` is for each answer of it."""

    host: str
    port: int
    user: str = ""
    password: str = field(default="", repr=False)
    has_tls: bool = False
    has_starttls: bool = False
    timeout_s: float = 10.0

    @property
    def is_encrypted(self) -> bool:
        """Whether nothing but the greeting travels in clear."""
        return self.has_tls or self.has_starttls


def parse_smtp_url(url: str, *, timeout_s: float = 10.0) -> SmtpServer:
    """Read the setting; user and password are percent-decoded.

    Raises:
        ValueError: it names no server that we can use. The message never quotes the URL (its password).
    """
    parts = urlsplit(url)
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname or parts.path not in {"", "/"}:
        raise ValueError("it must look like smtp://host:port or smtps://host:port.")
    try:
        port = parts.port or _DEFAULT_PORTS[parts.scheme]
        options = parse_qs(parts.query, strict_parsing=True) if parts.query else {}
    except ValueError as exc:
        raise ValueError("its port or its options cannot be read.") from exc
    starttls = options.pop("starttls", ["no"])[-1]
    if options or starttls not in {"no", "required"}:
        raise ValueError("its only option is starttls=required (or no).")
    if starttls == "required" and parts.scheme == "smtps":
        raise ValueError("smtps is encrypted from the start; starttls belongs to smtp.")
    return SmtpServer(
        host=parts.hostname,
        port=port,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        has_tls=parts.scheme == "smtps",
        has_starttls=starttls == "required",
        timeout_s=timeout_s,
    )
