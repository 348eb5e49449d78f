"""KrakenD's token bucket, which is not the textbook one."""

import time
from collections.abc import Callable


class TokenBucket:
    """Whole tokens, full at the start; nothing refills while a token is left.

    A request that finds it empty counts the tokens earned since the mark. More than the capacity: the bucket
    is full again and this request is free, so that after idling a burst of 2 x capacity + 1 passes.
    Source: krakend/ratelimit, tokenbucket.go.
    """

    def __init__(
        self,
        max_rate: float,
        every_s: float,
        capacity: int,
        clock_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._token_ns = int(every_s * 1e9 / max_rate)
        self._capacity = capacity
        self._clock_ns = clock_ns
        self._tokens = capacity
        self._mark_ns = clock_ns()

    def admit(self) -> bool:
        """Whether one more request may pass now; if so its token is spent."""
        if self._tokens > 0:
            self._tokens -= 1
            return True
        earned = (self._clock_ns() - self._mark_ns) // self._token_ns
        if earned == 0:
            return False
        self._mark_ns += earned * self._token_ns
        self._tokens = self._capacity if earned > self._capacity else earned - 1
        return True
