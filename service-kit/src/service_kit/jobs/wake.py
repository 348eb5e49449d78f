"""Wakes a worker the moment there is something to do: one empty datagram, which may get lost.

The worker looks by itself every half second as well, so nothing depends on the datagram but a little time.
"""

import socket
import threading
from collections.abc import Iterable
from contextlib import suppress

import structlog

from service_kit.process.config import parse_address

log = structlog.get_logger(__name__)


class Waker:
    def __init__(self, address: str) -> None:
        self._address = parse_address(address)

    def wake(self) -> None:
        """Tell the worker to look now; a worker that is away is no error."""
        try:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                sender.setblocking(False)
                sender.sendto(b"", self._address)
        except OSError as exc:
            log.debug("worker_not_woken", reason=type(exc).__name__)


class WakeUpCall:
    """Listens, and sets ``events`` at each datagram; whoever waits for one clears it."""

    def __init__(self, address: str, events: Iterable[threading.Event]) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(parse_address(address))
        self._socket.settimeout(0.5)
        self._events = tuple(events)
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._listen, name="wake", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._closed.set()
        with suppress(OSError):
            self._socket.sendto(b"", self._socket.getsockname())  # so that nobody waits for the time-out
        self._thread.join()
        self._socket.close()

    def _listen(self) -> None:
        while not self._closed.is_set():
            try:
                self._socket.recv(16)
            except TimeoutError:
                continue
            for event in self._events:
                event.set()
