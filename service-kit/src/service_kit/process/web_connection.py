"""A client's connection to a web process, and what has arrived on it of the next request."""

import socket
import struct
import time
from collections.abc import Iterator
from typing import Any

from gunicorn import http
from gunicorn.http.errors import LimitRequestHeaders, NoMoreData
from gunicorn.workers.gthread import TConn

from service_kit.process.arrival import MAX_HEAD_BYTES, Arrival, Verdict

# gunicorn cuts off what it has read chunk by chunk: of a large piece, every small chunk would copy the rest.
_PIECE_BYTES = 8 * 1024
# How long a thread waits for a client that does not take its answer, once the system's buffers are full.
_SEND_WITHIN_S = 5


class _Arrived:
    """What has arrived of a request, as gunicorn's parser reads it; no thread waits for more."""

    def __init__(self, request: bytes, missing: Exception) -> None:
        self._request = request
        self._position = 0
        self._missing = missing

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        """Return the next piece.

        Raises:
            Exception: the parser wants more than there is.
        """
        if self.is_read:
            raise self._missing
        start, self._position = self._position, self._position + _PIECE_BYTES
        return self._request[start : self._position]

    @property
    def is_read(self) -> bool:
        return self._position >= len(self._request)


class Connection(TConn):  # type: ignore[misc]  # gunicorn has no types
    """A connection whose next request is collected here before a thread reads it."""

    def __init__(self, max_body_bytes: int, *of_gunicorn: Any) -> None:
        super().__init__(*of_gunicorn)
        self.data_ready = True  # gunicorn's thread need not wait for any
        self.arrival = Arrival(max_body_bytes)
        self.held_bytes = 0
        # Where another request would begin is not known.
        self.is_last = False
        self._max_body_bytes = max_body_bytes
        self._arrived = _Arrived(b"", NoMoreData())
        # The system's own time-out: Python's would ask before each write whether it can be done.
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", _SEND_WITHIN_S, 0))
        self.set_timeout()

    def init(self) -> None:
        """Leave the parser as it is; gunicorn calls this in the thread."""

    def set_timeout(self) -> None:
        """Begin to wait for the client, as long as between two requests."""
        super().set_timeout()
        self.waits_since = time.monotonic()

    def take_request(self) -> None:
        """Let gunicorn's parser read what has arrived of the request, and nothing behind it."""
        received, verdict = self.arrival.received, self.arrival.verdict
        self.is_last = verdict is Verdict.UNCLEAR
        end = len(received) if self.is_last else self.arrival.end
        is_head_too_large = self.is_last and len(received) > MAX_HEAD_BYTES and b"\r\n\r\n" not in received
        missing = LimitRequestHeaders("max head size") if is_head_too_large else NoMoreData()
        with memoryview(received) as whole:
            self._arrived = _Arrived(bytes(whole[:end]), missing)
            rest = bytes(whole[end:])
        self.parser = http.get_parser(self.cfg, self._arrived, self.client)
        self.arrival = Arrival(self._max_body_bytes, rest)

    @property
    def is_request_read(self) -> bool:
        """Whether the request ended for gunicorn where it ended for us."""
        return self._arrived.is_read and not self.parser.unreader.take_buffered()
