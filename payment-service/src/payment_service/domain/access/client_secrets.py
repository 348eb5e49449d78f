"""Client secrets: 256 random bits, shown once and kept as HMAC."""

import hashlib
import hmac
import secrets
from collections.abc import Sequence

_RANDOM_BYTES = 32
# What an unknown client's secret is compared with, so that the answer takes as long as a known one's.
_NOBODYS_HASH = "0" * 64


def new_client_secret() -> str:
    """Return a new secret, such as ``cs_Zm9v…``."""
    return f"cs_{secrets.token_urlsafe(_RANDOM_BYTES)}"


class ClientSecrets:
    """Seals and checks client secrets with one HMAC key: a stolen database alone checks no guess."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def seal(self, secret: str) -> str:
        """Return the HMAC-SHA256 of the secret, as 64 hex digits."""
        return hmac.new(self._key, secret.encode(), hashlib.sha256).hexdigest()

    def matches(self, secret: str, sealed: Sequence[str]) -> bool:
        """Whether the secret is one of those; in constant time, whatever was given."""
        given = self.seal(secret)
        # All are compared: any() would stop at the first.
        equal = [hmac.compare_digest(given, known) for known in sealed or (_NOBODYS_HASH,)]
        return any(equal)
