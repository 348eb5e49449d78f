"""API clients as every /v1 request needs them: read once, then remembered for a short while."""

import threading
import time
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from payment_service.models.merchants.api_client import ApiClient
from payment_service.models.merchants.merchant import Merchant

# So long a client that was disabled in another process still gets in with a token from before.
REMEMBERED_S = 10.0


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
        self._records: dict[str, tuple[float, ClientRecord]] = {}
        self._lock = threading.Lock()

    def get(self, session: Session, client_id: str) -> ClientRecord | None:
        """Return the client that a verified token names."""
        now_s = time.monotonic()
        with self._lock:
            read_at_s, record = self._records.get(client_id, (0.0, None))
        if record is not None and now_s - read_at_s < REMEMBERED_S:
            return record
        row = session.execute(
            select(ApiClient, Merchant.public_id)
            .join(Merchant, Merchant.id == ApiClient.merchant_id)
            .where(ApiClient.client_id == client_id)
        ).one_or_none()
        if row is None:
            return None
        record = client_record(*row)
        with self._lock:
            self._records[client_id] = (now_s, record)
        return record


def client_record(client: ApiClient, merchant_public_id: str) -> ClientRecord:
    """Return the record of a client."""
    return ClientRecord(
        client.client_id, client.merchant_id, merchant_public_id, client.disabled_at is not None
    )
