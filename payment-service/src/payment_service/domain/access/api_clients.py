"""API clients as every /v1 request needs them: read once, then remembered for a short while."""

import hashlib
import hmac
import secrets
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter

from cachetools import TTLCache, cachedmethod
from sqlalchemy import select
from sqlalchemy.exc import NoResultFound
from sqlalchemy.orm import Session

from payment_service.models.merchant import ApiClient, Merchant

# So long a client that was disabled in another process still gets in with a token from before.
REMEMBERED_S = 10.0
MOST_REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class ClientRecord:
    """An API client and its merchant, free of any session."""

    client_id: str
    merchant_id: int
    merchant_public_id: str
    is_disabled: bool


class ClientDirectory:
    """Looks clients up; a client that was disabled is refused after ``REMEMBERED_S`` seconds at most."""

    def __init__(self) -> None:
        self._records: TTLCache[str, ClientRecord] = TTLCache(
            MOST_REMEMBERED,
            REMEMBERED_S,
            lambda: time.monotonic(),  # noqa: PLW0108  looked up whenever it is read: tests hold it
        )
        self._lock = threading.Lock()

    def get(self, session: Session, client_id: str) -> ClientRecord | None:
        try:
            return self._find(session, client_id)
        except NoResultFound:
            return None

    @cachedmethod(attrgetter("_records"), key=lambda _self, _session, key: key, lock=attrgetter("_lock"))
    def _find(self, session: Session, client_id: str) -> ClientRecord:
        # An error is not remembered: a client that is unknown now may be there in a moment.
        row = session.execute(
            select(ApiClient, Merchant.public_id)
            .join(Merchant, Merchant.id == ApiClient.merchant_id)
            .where(ApiClient.client_id == client_id)
        ).one()
        return client_record(row[0], row[1])


def client_record(client: ApiClient, merchant_public_id: str) -> ClientRecord:
    return ClientRecord(
        client.client_id, client.merchant_id, merchant_public_id, client.disabled_at is not None
    )


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
