"""Where a payer's browser may be sent when it has paid."""

import re
from urllib.parse import urlsplit

from marshmallow import ValidationError

_OWN_MACHINE = frozenset({"localhost", "127.0.0.1", "::1"})
# No blanks, nothing invisible, and no backslash, which browsers take for a slash.
_PRINTABLE = re.compile(r"[!-\[\]-~]+")
# A last label that begins with a letter: no address made of numbers.
_HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])")


def check_return_url(text: str) -> None:
    """Let only an address pass that shows whose it is, and goes there encrypted.

    Raises:
        marshmallow.ValidationError: says what is wrong.
    """
    if not _PRINTABLE.fullmatch(text):
        raise ValidationError("Must be ASCII without blanks and backslashes; escape the rest.")
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname or "", parts.port
    except ValueError as exc:
        raise ValidationError("Is not an address.") from exc
    is_own_machine = host in _OWN_MACHINE
    if parts.scheme != "https" and not (parts.scheme == "http" and is_own_machine):
        raise ValidationError("Must begin with https://, or with http://localhost.")
    if "@" in parts.netloc:
        raise ValidationError("Must hold no user name and no password.")
    if not is_own_machine and not _HOST.fullmatch(host):
        raise ValidationError("Must name a host, such as shop.example.")
