"""200 clients that are silent or send a byte now and then: everybody else is served as without them."""

import socket
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import psutil
import pytest
import requests

from run.settings import RunSettings
from tests.system.whole import WholeSystem

pytestmark = [pytest.mark.deep, pytest.mark.timeout(1200)]

CONNECTIONS = 200
HEALTHY_WITHIN_S = 1.0
PAID_WITHIN_S = 2.0
GROWN_AT_MOST = 64 * 1024 * 1024
_PATH = b"POST /payments-api/payments HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
_TIMES = 7
# How each begins; all but the silent ones go on byte by byte.
BEGINNINGS = (
    b"",
    _PATH + b"X: ",
    _PATH + b"Content-Length: 60000\r\n\r\n{",
    _PATH + b"Transfer-Encoding: chunked\r\n\r\nffff\r\n{",
    _PATH + b"Transfer-Encoding: chunked\r\n\r\n5\r\n{\r\n",
    _PATH + b"Expect: 100-continue\r\nContent-Length: 60000\r\n\r\n",
)


class SlowClients:
    """Keeps so many connections to ``url`` open, and opens another where one was closed."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._address = (parts.hostname, parts.port)
        self._connections: list[socket.socket] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._go_on)

    def __enter__(self) -> Self:
        self._connections = [self._open(place) for place in range(CONNECTIONS)]
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()
        for connection in self._connections:
            connection.close()

    def _open(self, place: int) -> socket.socket:
        connection = socket.create_connection(self._address, timeout=60)
        connection.sendall(_beginning(place))
        connection.setblocking(False)
        return connection

    def _go_on(self) -> None:
        while not self._stop.wait(0.2):
            for place, connection in enumerate(self._connections):
                if not _goes_on(connection, b"x" if _beginning(place) else b""):
                    connection.close()
                    with suppress(OSError):
                        self._connections[place] = self._open(place)


def _beginning(place: int) -> bytes:
    return BEGINNINGS[place % len(BEGINNINGS)]


def _goes_on(connection: socket.socket, more: bytes) -> bool:
    try:
        connection.sendall(more)
        return bool(connection.recv(4096))
    except BlockingIOError:
        return True
    except OSError:
        return False


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WholeSystem]:
    folder = tmp_path_factory.mktemp("slow_clients")
    settings = replace(RunSettings.on_free_ports(folder / "run"), orders_per_minute=1_000_000)
    with WholeSystem(settings) as running:
        yield running


@pytest.mark.parametrize("way", ["directly", "through the gateway"])
def test_slow_clients_slow_nobody_else(system: WholeSystem, way: str) -> None:
    payment = psutil.Process(system.pid("payment-service")).children()[0]
    attacked = system.payment_url if way == "directly" else system.gateway_url
    before = payment.memory_info().rss

    with SlowClients(attacked):
        time.sleep(3)  # longer than a request may take to arrive: some were refused already
        healthy_s = median_s(lambda: ask_health(system.payment_url))
        paid_s = median_s(lambda: pay(system))

    assert healthy_s < HEALTHY_WITHIN_S
    assert paid_s < PAID_WITHIN_S
    assert payment.memory_info().rss - before < GROWN_AT_MOST


def median_s(work: Callable[[], None]) -> float:
    """Return how long it mostly takes: one that a busy machine delays does not count."""
    durations = []
    for _ in range(_TIMES):
        started = time.monotonic()
        work()
        durations.append(time.monotonic() - started)
    return statistics.median(durations)


def ask_health(url: str) -> None:
    requests.get(f"{url}/health/live", timeout=60).raise_for_status()


def pay(system: WholeSystem) -> None:
    """Create a payment and pay it, on the gateway."""
    url = f"{system.gateway_url}/payments-api/payments"
    created = requests.post(url, json={"user_id": 1, "order_id": 1, "total_amount": 12.5}, timeout=60)
    created.raise_for_status()
    card = {"cardNumber": "9999999999999", "cardCode": "123", "expirationDate": "2030-01-05"}
    paid = requests.post(f"{url}/{created.json()['payment_id']}", json=card, timeout=60)
    assert paid.json()["is_paid"] is True
