"""A merchant's server at work: its credentials, its token, the cards that it has stored."""

import json
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import requests

TIMEOUT_S = 10.0
_AT_ONCE = 4


@dataclass(frozen=True)
class LabClient:
    """The credentials of the lab's API client."""

    client_id: str
    client_secret: str = field(repr=False)

    @classmethod
    def read(cls, file: Path) -> "LabClient":
        """Read what ``make run`` and the benchmark write."""
        document = json.loads(file.read_text())
        return cls(document["client_id"], document["client_secret"])


class AccessToken:
    """One token for all, obtained when it is first needed and renewed when half of its time is over."""

    def __init__(self, client: LabClient, gateway_url: str) -> None:
        self._client = client
        self._url = f"{gateway_url}/oauth2/token"
        self._token = ""
        self._renew_at_s = 0.0

    def bearer(self) -> dict[str, str]:
        """Return the header of a request."""
        if time.monotonic() >= self._renew_at_s:
            self._renew()
        return {"Authorization": f"Bearer {self._token}"}

    def _renew(self) -> None:
        # Whoever comes while it is under way goes on with the old one, unless there is none.
        if self._token:
            self._renew_at_s = time.monotonic() + TIMEOUT_S
        form = {
            "grant_type": "client_credentials",
            "client_id": self._client.client_id,
            "client_secret": self._client.client_secret,
        }
        answer = requests.post(self._url, data=form, timeout=TIMEOUT_S)
        answer.raise_for_status()
        document = answer.json()
        self._token = document["access_token"]
        self._renew_at_s = time.monotonic() + document["expires_in"] / 2


def store_cards(numbers: Sequence[str], client: LabClient, gateway_url: str) -> list[str]:
    """Store every card as a payment method, and return their ids."""
    token = AccessToken(client, gateway_url)
    token.bearer()

    def store(number: str) -> str:
        answer = requests.post(
            f"{gateway_url}/v1/payment-methods",
            json={"card": {"number": number, "exp_month": 1, "exp_year": 2030, "cvc": "123"}},
            headers={**token.bearer(), "Idempotency-Key": str(uuid4())},
            timeout=TIMEOUT_S,
        )
        answer.raise_for_status()
        return str(answer.json()["id"])

    with ThreadPoolExecutor(_AT_ONCE) as threads:
        return list(threads.map(store, numbers))
