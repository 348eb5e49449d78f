"""Call a backend as Go's HTTP client does: its redirects, its one repeat, nothing that aiohttp would add."""

import re
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any
from urllib.parse import urljoin, urlsplit

import aiohttp
from aiohttp import http_writer
from multidict import CIMultiDict
from yarl import URL

from gateway.emulator.config import Config

_MAX_REQUESTS = 10  # Go gives up when it has asked ten times
_NOT_AUTOMATIC = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")
_BODY_HEADERS = ("Content-Length", "Content-Type", "Content-Encoding", "Content-Language")
_IDEMPOTENCY = ("Idempotency-Key", "X-Idempotency-Key")
_MAX_ANSWER_HEAD = 1 << 20


_NO_ADDRESS = re.compile(  # a bad escape, a colon in the first segment that ends no scheme, an odd host
    r"%(?![0-9A-Fa-f]{2})|^(?![A-Za-z][A-Za-z0-9+.-]*:)[^/?#]*:|^[^/?#]*//[^/?#]*[ <>\"\\^`{|}]"
)


class TooManyRedirects(aiohttp.ClientError):
    """The backend sent the gateway in circles."""


class UnusableLocation(aiohttp.ClientError):
    """The backend redirects to something that is no address."""


class _NewestFirst(deque[Any]):
    """Idle connections of one backend: Go takes the one that was used last, aiohttp the first."""

    def popleft(self) -> Any:
        return self.pop()


def _serialize_headers(status_line: str, headers: Mapping[str, str]) -> bytes:
    """Write a head with the very bytes that were read: aiohttp's own drops what is not UTF-8."""
    lines = [status_line, *(f"{name}: {value}" for name, value in headers.items())]
    if any(character in line for line in lines for character in "\r\n\0"):
        raise ValueError("a line break in a header")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8", "surrogateescape")


http_writer._serialize_headers = _serialize_headers  # there is no public switch; for both sides


@dataclass(frozen=True)
class Call:
    """One request to a backend; `body` makes the stream of its body, None = no body."""

    method: str
    url: str
    headers: CIMultiDict[str]
    body: Callable[[], AsyncIterator[bytes]] | None

    @property
    def is_replayable(self) -> bool:
        """Whether Go would send it again when a reused connection died (net/http, request.go)."""
        if self.body is not None:
            return False
        return self.method in ("GET", "HEAD") or any(name in self.headers for name in _IDEMPOTENCY)


class BareRequest(aiohttp.ClientRequest):
    """aiohttp's request without the `Content-Length: 0` that Go does not send with a DELETE."""

    def update_body_from_data(self, body: object, _stacklevel: int = 3) -> None:
        """Build the body; nothing at all when there is none."""
        super().update_body_from_data(body, _stacklevel + 1)
        if body is None and self.method == "DELETE":
            self.headers.popall("Content-Length", None)


class BackendClient:
    """All connections to all backends; made and closed on the event loop."""

    def __init__(self, config: Config) -> None:
        traces = aiohttp.TraceConfig()
        traces.on_connection_reuseconn.append(_note_reuse)
        connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=config.idle_connection_timeout_s or 1e6)
        connector._conns = defaultdict(_NewestFirst)
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=config.dialer_timeout_s or None),
            auto_decompress=False,
            skip_auto_headers=_NOT_AUTOMATIC,
            request_class=BareRequest,
            trace_configs=[traces],
            max_line_size=_MAX_ANSWER_HEAD,
            max_field_size=_MAX_ANSWER_HEAD,
        )
        # aiohttp repeats PUT and DELETE too, and on fresh connections; there is no public switch.
        self._session._retry_connection = False

    async def close(self) -> None:
        await self._session.close()

    async def send(self, call: Call) -> aiohttp.ClientResponse:
        """The backend's answer after redirects, its body unread; raises aiohttp.ClientError or OSError."""
        for _ in range(_MAX_REQUESTS):
            answer = await self._send_once(call)
            following = _redirected(call, answer)
            if following is None:
                return answer
            answer.release()
            call = following
        raise TooManyRedirects(call.url)

    async def _send_once(self, call: Call) -> aiohttp.ClientResponse:
        """One exchange, and others as long as they meet kept-alive connections that were already dead."""
        while True:
            connection = SimpleNamespace(reused=False)
            try:
                return await self._exchange(call, connection)
            except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError):
                if not (connection.reused and call.is_replayable):
                    raise

    async def _exchange(self, call: Call, connection: SimpleNamespace) -> aiohttp.ClientResponse:
        return await self._session.request(
            call.method,
            URL(call.url, encoded=True),
            headers=call.headers,
            data=call.body() if call.body else None,
            allow_redirects=False,
            trace_request_ctx=connection,
        )


async def _note_reuse(
    _session: aiohttp.ClientSession,
    context: SimpleNamespace,
    _params: aiohttp.TraceConnectionReuseconnParams,
) -> None:
    context.trace_request_ctx.reused = True


def _redirected(call: Call, answer: aiohttp.ClientResponse) -> Call | None:
    """The call that follows a redirect, or None to relay the answer itself (net/http, client.go)."""
    location = answer.headers.get("Location")
    if not location or answer.status not in (301, 302, 303, 307, 308):
        return None
    url = _address(call.url, location)
    headers = call.headers.copy()
    if not (urlsplit(call.url).scheme == "https" and urlsplit(url).scheme == "http"):
        headers["Referer"] = call.url
    if answer.status in (307, 308):
        return None if call.body else replace(call, url=url, headers=headers)
    for name in _BODY_HEADERS:
        headers.popall(name, None)
    return Call(call.method if call.method == "HEAD" else "GET", url, headers, None)


def _address(base: str, location: str) -> str:
    """Where a Location leads; raises UnusableLocation for what Go cannot parse (net/url, Parse)."""
    try:
        if _NO_ADDRESS.search(location.partition("?")[0]):
            raise ValueError(location)
        url = urljoin(base, location)
        _ = urlsplit(url).port  # raises ValueError
        return url
    except ValueError as exc:
        raise UnusableLocation(base) from exc
