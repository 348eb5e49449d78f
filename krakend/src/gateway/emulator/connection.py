"""One client's connection: how big the head of a request may be, and how long its parts may take."""

import asyncio
import math
import re
from typing import Any

from aiohttp import StreamReader, web

from gateway.emulator.config import Config
from gateway.emulator.relay import WireResponse

_GO_HEAD_SLACK = 4096
_GO_HANG_UP_S = 0.5
_FOR_EVER_S = 1e8
_HEAD_LIMIT_OF_AIOHTTP = 1 << 22  # far above the real one, which is held here
_REFUSAL = (
    "HTTP/1.1 {0}\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n{0}"  # Go's own
)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding:", re.IGNORECASE)
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]+)[ \t]*\r", re.IGNORECASE)
_BEYOND_ASCII = re.compile(rb"[\x80-\xff]")
# Go takes the first User-Agent and every Content-Type; aiohttp refuses a request that repeats either.
_ONCE = re.compile(rb"\r\n(user-agent|content-type):[ \t]*([^\r]*)", re.IGNORECASE)


class Connection(web.RequestHandler):
    """aiohttp's, which gets each head whole, and no byte of the next request before it has answered one.

    A head that is late is closed without an answer between two lines, and with 400 inside a line; the reader
    of a body that is late gets a TimeoutError, as in Go.
    """

    __slots__ = (
        "_body_left",
        "_config",
        "_content",
        "_is_busy",
        "_next_head",
        "_number",
        "_started_at",
        "_timer",
        "content_types",
        "is_draining",
    )

    def __init__(self, server: web.Server, config: Config) -> None:
        super().__init__(
            server,
            loop=asyncio.get_running_loop(),
            access_log=None,  # type: ignore[arg-type]  # aiohttp's own runner passes it too
            auto_decompress=False,
            keepalive_timeout=_FOR_EVER_S,
            lingering_time=_GO_HANG_UP_S,
            max_line_size=_HEAD_LIMIT_OF_AIOHTTP,
            max_field_size=_HEAD_LIMIT_OF_AIOHTTP,
            max_headers=10_000,
        )
        self.is_draining = False
        self.content_types: list[str] = []  # of the request, each value
        self._config = config
        self._content: StreamReader | None = None
        self._is_busy = False
        self._number = 0
        self._next_head = bytearray()
        self._body_left: float = 0
        self._started_at = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._expect_head()

    def connection_lost(self, exc: BaseException | None) -> None:
        self._set_timer(0)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if not self._is_busy:
            if not self._next_head and self._number:
                self._expect_head()
            self._next_head += data
            self._take_head()
            return
        body = data if self._body_left >= len(data) else data[: int(self._body_left)]
        self._body_left -= len(body)
        if body:
            super().data_received(body)
            self._end_unreadable_body()
        if len(body) < len(data):
            self._next_head += data[len(body) :]
            if self.transport is not None:
                self.transport.pause_reading()

    def begin(self, request: web.BaseRequest) -> None:
        """The handler has the request: from here its body may take what is left of the time."""
        self._content = request.content
        if not self._is_busy:  # pipelined after a chunked body, whose end aiohttp alone sees
            self._is_busy, self._body_left, self._started_at = True, math.inf, self._loop.time()
        if limit_s := self._config.read_timeout_s:
            self._set_timer(self._started_at + limit_s, _end_late_body, request)

    def end(self, request: web.BaseRequest) -> None:
        """The answer is out: take the next request, or wait for one."""
        self._set_timer(0)
        if self.transport is None:
            return
        if not request.content.is_eof():
            # Say the end now; aiohttp hangs up later: at once, a body on its way would wipe out the answer.
            self.transport.write_eof()
            return
        self._is_busy = False
        if self._next_head:
            self._expect_head()
            self.transport.resume_reading()
            self._take_head()
        elif limit_s := self._config.idle_timeout_s or self._config.read_timeout_s:
            self._set_timer(self._loop.time() + limit_s, self.force_close)

    def drain(self) -> None:
        """Close unless a request is under way, whose answer then is the last one."""
        self.is_draining = True
        if not self._is_busy:
            self.force_close()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """What Go says to a head that it cannot read: nothing of aiohttp's own."""
        if status == 400:
            self._refuse("400 Bad Request")
        elif not isinstance(exc, ConnectionError):  # a client that has left
            self.log_exception("Error handling request", exc_info=exc)
        return WireResponse(status, [("Content-Length", "0")])

    def _end_unreadable_body(self) -> None:
        """Let whoever reads the body hear of a malformed chunk: aiohttp keeps that for after the answer."""
        if self._messages and self._content is not None and not self._content.is_eof():
            self._content.set_exception(web.RequestPayloadError("a malformed chunk"))

    def _expect_head(self) -> None:
        self._started_at = self._loop.time()
        limit_s = self._config.read_header_timeout_s or self._config.read_timeout_s
        self._set_timer(self._started_at + limit_s if limit_s else 0, self._give_up_head)

    def _take_head(self) -> None:
        """Hand a complete head on, with whatever follows it."""
        limit = self._config.max_header_bytes + _GO_HEAD_SLACK
        if self._number:
            limit += _GO_HEAD_SLACK  # what Go has read ahead does not count
        end = self._next_head.find(b"\r\n\r\n")
        if max(end, len(self._next_head) if end < 0 else 0) > limit:
            self._refuse("431 Request Header Fields Too Large")
        if end < 0 or self.transport is None:
            return
        head, rest = bytes(self._next_head[: end + 4]), bytes(self._next_head[end + 4 :])
        self._next_head.clear()
        self._set_timer(0)
        self._is_busy = True
        self._number += 1
        length = _LENGTH.search(head)
        self._body_left = math.inf if _CHUNKED.search(head) else int(length[1]) if length else 0
        super().data_received(self._readable(head))
        if rest:
            self.data_received(rest)

    def _readable(self, head: bytes) -> bytes:
        """The head as aiohttp can read it: an ASCII target, and what may stand there only once, once."""
        line, end, headers = head.partition(b"\r\n")
        if not line.isascii():
            line = _BEYOND_ASCII.sub(lambda byte: b"%%%02X" % byte[0][0], line)
        self.content_types.clear()
        seen: set[bytes] = set()

        def keep_first(match: re.Match[bytes]) -> bytes:
            name = match[1].lower()
            if name == b"content-type":
                self.content_types.append(match[2].rstrip(b" \t").decode("utf-8", "surrogateescape"))
            is_first = name not in seen
            seen.add(name)
            return match[0] if is_first else b""

        return line + _ONCE.sub(keep_first, end + headers)

    def _give_up_head(self) -> None:
        if self._next_head and not self._next_head.endswith(b"\r\n"):
            self._refuse("400 Bad Request")
        else:
            self.force_close()

    def _refuse(self, text: str) -> None:
        if self.transport is not None:
            self.transport.write(_REFUSAL.format(text).encode())
        self.force_close()

    def _set_timer(self, when: float, *callback: Any) -> None:
        """Replace the one timer of this connection; 0 = none."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(when, *callback) if when else None


def _end_late_body(request: web.BaseRequest) -> None:
    if not request.content.is_eof():
        request.content.set_exception(TimeoutError("the body is late"))
