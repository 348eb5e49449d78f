"""Start a gateway (real or emulated) on a rendered file, and talk to it."""

import http.client
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Self

from gateway.launch import choose_gateway, gateway_environment
from gateway.render import render
from gateway.settings import Settings

_START_S = 180.0
_ANSWER_S = 120.0
# Of a log with an error, so many characters before its trace and from there on are shown.
_LOG_BEFORE, _LOG_AFTER = 600, 4000
# What no setting changes, so long that a busy machine meets it; a test that is about one gives its own.
_PATIENT = {
    "dialer_timeout": "60s",
    "read_header_timeout": "60s",
    "read_timeout": "60s",
    "idle_timeout": "600s",
    "idle_connection_timeout": "600s",
}


@dataclass(frozen=True)
class Answer:
    """What a client got; `is_whole` is false when the body was cut."""

    status: int
    reason: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    is_whole: bool = True

    def header(self, name: str) -> str | None:
        """The only value of a header; None when absent, AssertionError when repeated."""
        values = self.all(name)
        if len(values) > 1:
            raise AssertionError(f"{name} came {len(values)} times: {values}")
        return values[0] if values else None

    def all(self, name: str) -> list[str]:
        """Every value of a header."""
        return [value for found, value in self.headers if found.lower() == name.lower()]


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


class RunningGateway:
    """A gateway process that serves these settings on a free port of 127.0.0.1.

    ``members`` replace members of the rendered file.
    """

    def __init__(self, settings: Settings, folder: Path, members: Mapping[str, str] | None = None) -> None:
        self.settings = replace(settings, port=free_port(), listen_ip="127.0.0.1")
        self._members = {**_PATIENT, **(members or {})}
        self._config = folder / f"krakend-{self.settings.port}.json"
        self._log = folder / f"gateway-{self.settings.port}.log"
        self.started_at = time.monotonic()

    @property
    def is_real(self) -> bool:
        """Whether this is KrakenD itself."""
        return choose_gateway(self._config).is_real

    def __enter__(self) -> Self:
        self._config.write_text(json.dumps({**render(self.settings), **self._members}))
        self.started_at = time.monotonic()
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                choose_gateway(self._config).command,
                env=gateway_environment(),
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        try:
            self._wait_until_ready()
        except BaseException:
            self.stop(signal.SIGKILL)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop(signal.SIGKILL)
        before, trace_begins, after = self.logged.partition("Traceback")
        if exc is None and trace_begins:
            told = f"{before[-_LOG_BEFORE:]}{trace_begins}{after[:_LOG_AFTER]}"
            raise AssertionError(f"the gateway met an error that it did not expect:\n{told}")

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal, wait, and say the exit code."""
        if self.process.poll() is None:
            os.kill(self.process.pid, number)
        return self.process.wait(timeout=_ANSWER_S)

    @property
    def logged(self) -> str:
        """What it printed until now."""
        return self._log.read_text()

    def connect(self) -> socket.socket:
        """A bare connection, for requests that no client library would send."""
        return socket.create_connection(("127.0.0.1", self.settings.port), timeout=_ANSWER_S)

    def request(
        self,
        method: str,
        path: str,
        body: bytes | Iterable[bytes] | None = None,
        headers: Mapping[str, str] | Iterable[tuple[str, str]] = (),
    ) -> Answer:
        """One request on its own connection, with these headers and Host only; an iterable goes as chunks."""
        connection = http.client.HTTPConnection("127.0.0.1", self.settings.port, timeout=_ANSWER_S)
        pairs = list(headers.items() if isinstance(headers, Mapping) else headers)
        connection.putrequest(method, path, skip_accept_encoding=True)
        for name, value in pairs:
            connection.putheader(name, value)
        chunked = body is not None and not isinstance(body, bytes)
        if chunked:
            connection.putheader("Transfer-Encoding", "chunked")
        elif body is not None and "content-length" not in {name.lower() for name, _ in pairs}:
            connection.putheader("Content-Length", str(len(body)) if isinstance(body, bytes) else "0")
        connection.endheaders(body, encode_chunked=chunked)
        try:
            return read_answer(connection.getresponse())
        finally:
            connection.close()

    def _wait_until_ready(self) -> None:
        while time.monotonic() < self.started_at + _START_S:
            if self.process.poll() is not None:
                break
            try:
                if self.request("GET", "/__health").status == 200:
                    return
            except OSError:
                time.sleep(0.05)
        raise AssertionError(f"the gateway did not start:\n{self.logged}")


def receive_until(connection: socket.socket, end: bytes) -> bytes:
    """What comes over a bare connection up to and with `end`."""
    received = b""
    while not received.endswith(end):
        piece = connection.recv(65536)
        if not piece:
            raise AssertionError(f"closed after {received!r}")
        received += piece
    return received


def read_answer(response: http.client.HTTPResponse) -> Answer:
    """The whole answer, or as much as came before the connection was closed."""
    try:
        body, is_whole = response.read(), True
    except http.client.IncompleteRead as exc:
        body, is_whole = exc.partial, False
    return Answer(response.status, response.reason, tuple(response.getheaders()), body, is_whole)
