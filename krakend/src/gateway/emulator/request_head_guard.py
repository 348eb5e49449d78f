"""The first request head of each connection: how big it may be, and how long it may take."""

import asyncio
from collections.abc import Callable
from typing import cast

_TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"Content-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n"
    b"431 Request Header Fields Too Large"
)
_BAD_REQUEST = (
    b"HTTP/1.1 400 Bad Request\r\n"
    b"Content-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n"
    b"400 Bad Request"
)


class RequestHeadGuard(asyncio.Protocol):
    """Collect the first head, then hand the connection to the HTTP protocol for good.

    aiohttp knows neither a limit for a whole head nor a time for it. A head that is late is closed without an
    answer between two lines, and with 400 inside a line, as Go does it.
    """

    def __init__(
        self, make_protocol: Callable[[], asyncio.Protocol], head_limit: int, timeout_s: float
    ) -> None:
        self._make_protocol = make_protocol
        self._head_limit = head_limit
        self._timeout_s = timeout_s
        self._head = bytearray()
        self._timer: asyncio.TimerHandle | None = None
        self._is_waiting = True
        self._transport: asyncio.Transport | None = None

    def dismiss(self) -> None:
        """Close a connection that has not sent its first head."""
        self._close(b"")

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # TCP: never another kind
        if self._timeout_s:
            self._timer = asyncio.get_running_loop().call_later(self._timeout_s, self._give_up)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop()

    def data_received(self, data: bytes) -> None:
        """Hand on a complete head, with whatever follows it."""
        self._head += data
        end = self._head.find(b"\r\n\r\n")
        if end < 0 and len(self._head) <= self._head_limit:
            return
        self._stop()
        if end < 0 or end > self._head_limit:
            self._close(_TOO_LARGE)
        elif self._transport is not None:
            self._is_waiting = False
            protocol = self._make_protocol()
            self._transport.set_protocol(protocol)
            protocol.connection_made(self._transport)
            protocol.data_received(bytes(self._head))

    def _give_up(self) -> None:
        between_lines = not self._head or self._head.endswith(b"\r\n")
        self._close(b"" if between_lines else _BAD_REQUEST)

    def _close(self, answer: bytes) -> None:
        if self._transport is not None and self._is_waiting:
            if answer:
                self._transport.write(answer)
            self._transport.close()

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
