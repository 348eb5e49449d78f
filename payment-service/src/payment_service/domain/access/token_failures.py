"""Failed requests for a token, counted for a minute: who guesses secrets has to wait, and nobody else.

Counted in each web process by itself: with four of them, four times as many guesses pass.
"""

import threading
import time

from cachetools import TTLCache

from payment_service.errors import TooManyFailures

REMEMBERED_S = 60
MOST_REMEMBERED = 10_000
# From one address, for whatever client; for one client from one address; for one client from everywhere.
MOST_BY_ADDRESS = 30
MOST_BY_PAIR = 10
MOST_BY_CLIENT = 100

Key = tuple[str | None, str | None]


class TokenFailures:
    """Counts failures by client and address; what is not known of either is None."""

    def __init__(self) -> None:
        self._counts: TTLCache[Key, int] = TTLCache(
            MOST_REMEMBERED,
            REMEMBERED_S,
            lambda: time.monotonic(),  # noqa: PLW0108  looked up whenever it is read: tests hold it
        )
        self._lock = threading.Lock()

    def check(self, client_id: str | None, address: str | None) -> None:
        """Let a request go on to its secret.

        Where no address is known, the right secret is always let in: the guesses may be somebody else's. So
        it is from an address that guessed nothing, whatever others do.

        Raises:
            TooManyFailures: too many failed before, from here.
        """
        if address is None:
            return
        with self._lock:
            by_address, by_client = self._count(None, address), self._count(client_id, None)
            by_pair = self._count(client_id, address) if client_id is not None else 0
        is_guessed_from_everywhere = by_pair > 0 and by_client >= MOST_BY_CLIENT
        if by_address >= MOST_BY_ADDRESS or by_pair >= MOST_BY_PAIR or is_guessed_from_everywhere:
            raise TooManyFailures(wait_s=REMEMBERED_S)

    def add(self, client_id: str | None, address: str | None) -> None:
        """Count a failure.

        Raises:
            TooManyFailures: no address is known, and the client has had too many.
        """
        with self._lock:
            for key in {(client_id, address), (client_id, None), (None, address)} - {(None, None)}:
                self._counts[key] = self._count(*key) + 1
            is_over = address is None and self._count(client_id, None) > MOST_BY_CLIENT
        if is_over:
            raise TooManyFailures(wait_s=REMEMBERED_S)

    def _count(self, client_id: str | None, address: str | None) -> int:
        return int(self._counts.get((client_id, address), 0))
