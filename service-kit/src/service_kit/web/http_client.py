"""HTTP to another service or to the outside: one deadline, one breaker, one bulkhead for each dependency.

What a caller must know after a failure is one thing only: did the request surely not leave (``NotSent``),
or may it have arrived (``OutcomeUnknown``)? docs/adr/0004 says why.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pybreaker
import requests
import structlog
from requests.adapters import HTTPAdapter
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    MaxRetryError,
    NameResolutionError,
    NewConnectionError,
)

from service_kit.deadlines import Deadline, time_left_s
from service_kit.web import strict_json
from service_kit.web.request_context import outgoing_headers

log = structlog.get_logger(__name__)

MAX_ANSWER_BYTES = 1024 * 1024
_SHORTEST_CALL_S = 0.005
_CHUNK_BYTES = 16 * 1024
_NEVER_LEFT = (NewConnectionError, NameResolutionError, ConnectTimeoutError)


class CallFailed(Exception):
    """No answer that can be used; ``str()`` of it may be logged and stored."""


class NotSent(CallFailed):
    """The request surely never left this process."""


class TooManyCalls(NotSent):
    """The bulkhead was full for as long as a caller may wait."""


class OutcomeUnknown(CallFailed):
    """The request may have arrived, and may have been carried out."""


class _ServerError(Exception):
    """Tells the breaker about a 5xx, which is an answer all the same."""

    def __init__(self, answer: "Answer") -> None:
        super().__init__(answer.status)
        self.answer = answer


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """Read the body as strict JSON.

        Raises:
            OutcomeUnknown: the body is not JSON, so what it wanted to say cannot be known.
        """
        try:
            return strict_json.loads(self.body)
        except strict_json.MalformedJson as exc:
            raise OutcomeUnknown(f"HTTP {self.status} with a body that is not JSON") from exc


@dataclass(frozen=True, slots=True)
class Dependency:
    """What we know of somebody we call; all times in seconds."""

    name: str
    base_url: str
    timeout_s: float
    token: str | None = None
    connect_timeout_s: float = 0.3
    max_concurrent: int = 32
    max_wait_s: float = 1.0
    breaker_failures: int = 5
    breaker_reset_s: float = 5.0


class HttpClient:
    """Calls one dependency; safe to share between threads.

    ``before_call`` runs first on every call: services pass the check that no transaction is open.
    """

    def __init__(self, dependency: Dependency, *, before_call: Callable[[], None] | None = None) -> None:
        self.dependency = dependency
        self._before_call = before_call
        self._places = threading.BoundedSemaphore(dependency.max_concurrent)
        self._breaker = pybreaker.CircuitBreaker(
            fail_max=dependency.breaker_failures,
            reset_timeout=dependency.breaker_reset_s,
            name=dependency.name,
            # The call that opens the breaker was sent: it keeps its own outcome, "not sent" would be a lie.
            throw_new_error_on_trip=False,
        )
        self._session = requests.Session()
        self._session.trust_env = False
        adapter = HTTPAdapter(pool_connections=1, pool_maxsize=dependency.max_concurrent, max_retries=0)
        self._session.mount("http://", adapter)
        self._session.mount("https://", adapter)

    def get(self, path: str) -> Answer:
        return self.send("GET", path)

    def post(self, path: str, body: Any = None) -> Answer:
        return self.send("POST", path, body)

    def send(
        self, method: str, path: str, body: Any = None, *, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Send one request, once, following no redirect, and return the answer whatever its status.

        ``body`` becomes JSON; bytes are JSON already and are sent as they are, because somebody signed them.
        It takes at most the dependency's time-out, or what the current deadline leaves, the wait for a free
        place included.

        Raises:
            NotSent: breaker open, no free place, no time left, or no connection could be made.
            OutcomeUnknown: everything else that is not a complete answer.
        """
        if self._before_call is not None:
            self._before_call()
        name = self.dependency.name
        deadline = Deadline.after(time_left_s(self.dependency.timeout_s))
        if not self._places.acquire(timeout=min(self.dependency.max_wait_s, deadline.remaining_s())):
            raise TooManyCalls(f"{name}: too many calls at once")
        try:
            if deadline.remaining_s() < _SHORTEST_CALL_S:
                raise NotSent(f"{name}: no time left")
            return self._send_through_breaker(method, path, body, headers or {}, deadline)
        except pybreaker.CircuitBreakerError as exc:
            raise NotSent(f"{name}: circuit breaker is open") from exc
        finally:
            self._places.release()

    def _send_through_breaker(
        self, method: str, path: str, body: Any, headers: Mapping[str, str], deadline: Deadline
    ) -> Answer:
        try:
            # calling() and not call(): the latter holds the breaker's lock during the whole request.
            with self._breaker.calling():
                answer = self._send_once(method, path, body, headers, deadline)
                if answer.status >= 500:
                    raise _ServerError(answer)
        except _ServerError as exc:
            return exc.answer
        return answer

    def _send_once(
        self, method: str, path: str, body: Any, headers: Mapping[str, str], deadline: Deadline
    ) -> Answer:
        name = self.dependency.name
        timeout_s = deadline.remaining_s()
        try:
            with self._session.request(
                method,
                self.dependency.base_url + path,
                data=body if body is None or isinstance(body, bytes) else strict_json.dumps(body).encode(),
                headers={**self._default_headers(body), **headers},
                timeout=(min(self.dependency.connect_timeout_s, timeout_s), timeout_s),
                allow_redirects=False,
                stream=True,
            ) as response:
                return Answer(response.status_code, response.headers, self._read(response, deadline))
        except (requests.RequestException, HTTPError) as exc:
            reason = f"{name}: {_reason(exc)}"
            log.warning("call_failed", dependency=name, method=method, reason=reason)
            raise (NotSent(reason) if _surely_not_sent(exc) else OutcomeUnknown(reason)) from exc

    def _read(self, response: requests.Response, deadline: Deadline) -> bytes:
        chunks = []
        size = 0
        # read1 returns what has arrived: a body that drips must not outlast the deadline.
        while chunk := response.raw.read1(_CHUNK_BYTES, decode_content=True):
            size += len(chunk)
            chunks.append(chunk)
            if size > MAX_ANSWER_BYTES:
                raise OutcomeUnknown(f"{self.dependency.name}: the answer is too long")
            if deadline.has_passed:
                raise OutcomeUnknown(f"{self.dependency.name}: the answer did not end in time")
        return b"".join(chunks)

    def _default_headers(self, body: Any) -> dict[str, str]:
        headers = outgoing_headers()
        if body is not None:
            headers["Content-Type"] = "application/json"
        if self.dependency.token is not None:
            headers["Authorization"] = f"Bearer {self.dependency.token}"
        return headers


def _surely_not_sent(exc: requests.RequestException | HTTPError) -> bool:
    """Whether no byte can have arrived: name look-up, refused connection or connect time-out."""
    cause = exc.args[0] if exc.args else None
    reason = cause.reason if isinstance(cause, MaxRetryError) else cause
    return isinstance(exc, requests.ConnectTimeout) or isinstance(reason, _NEVER_LEFT)


def _reason(exc: requests.RequestException | HTTPError) -> str:
    """Return a short text without addresses for logs and rows."""
    cause = exc.args[0] if exc.args else None
    reason = cause.reason if isinstance(cause, MaxRetryError) else cause
    return type(reason if isinstance(reason, Exception) else exc).__name__
