"""A backend that writes down every request byte for byte and answers with whatever bytes a test wants."""

import socket
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

# Answers one request; False: close the connection.
Script = Callable[["Seen", socket.socket], bool]
_WAIT_S = 120.0


@dataclass(frozen=True)
class Seen:
    """One request as it arrived; `number` counts from 1 on its connection."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    number: int
    is_whole: bool

    def header(self, name: str) -> str | None:
        """The only value of a header; None when absent, AssertionError when repeated."""
        values = self.all(name)
        if len(values) > 1:
            raise AssertionError(f"{name} came {len(values)} times: {values}")
        return values[0] if values else None

    def all(self, name: str) -> list[str]:
        """Every value of a header."""
        return [value for found, value in self.headers if found.lower() == name.lower()]


def http_answer(status: str = "200 OK", body: bytes = b"", headers: Iterable[str] = ()) -> bytes:
    """An HTTP/1.1 answer with its Content-Length."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def answering(raw: bytes, *, close: bool = False) -> Script:
    """A script that always sends these bytes."""

    def script(_seen: Seen, connection: socket.socket) -> bool:
        connection.sendall(raw)
        return not close

    return script


JSON_OK = answering(http_answer(body=b'{"ok": true}', headers=["Content-Type: application/json"]))


def hang_up(_seen: Seen, _connection: socket.socket) -> bool:
    """A script that closes without an answer."""
    return False


@dataclass
class RecordingBackend:
    """Listens on a free port of 127.0.0.1; `script` answers each request, and False closes the connection."""

    script: Script = JSON_OK
    requests: list[Seen] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._arrival = threading.Condition()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.close()

    @property
    def url(self) -> str:
        """Its address, without a slash at the end."""
        host, port = self._listener.getsockname()
        return f"http://{host}:{port}"

    def reset(self) -> None:
        """Forget the requests and answer 200 again."""
        with self._arrival:
            self.requests.clear()
        self.script = JSON_OK

    def wait_for(self, number: int) -> list[Seen]:
        """The requests, as soon as there are so many."""
        with self._arrival:
            arrived = self._arrival.wait_for(lambda: len(self.requests) >= number, _WAIT_S)
            if not arrived:
                raise AssertionError(f"only {len(self.requests)} of {number} requests arrived")
            return list(self.requests)

    @property
    def only(self) -> Seen:
        """The one request that arrived."""
        if len(self.requests) != 1:
            raise AssertionError(f"{len(self.requests)} requests arrived: {self.requests}")
        return self.requests[0]

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as stream:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            number = 0
            keep = True
            while keep:
                number += 1
                try:
                    seen = _read_request(stream.readline, stream.read, number)
                    if seen is None:
                        return
                    with self._arrival:
                        self.requests.append(seen)
                        self._arrival.notify_all()
                    keep = self.script(seen, connection)
                except OSError:
                    return


def _read_request(readline: Callable[[], bytes], read: Callable[[int], bytes], number: int) -> Seen | None:
    first = readline().decode("latin-1").split()
    if len(first) != 3:
        return None
    headers = []
    while line := readline().decode("latin-1").strip():
        name, _, value = line.partition(":")
        headers.append((name, value.strip()))
    lower = {name.lower(): value for name, value in headers}
    if lower.get("transfer-encoding") == "chunked":
        body, is_whole = _read_chunks(readline, read)
    else:
        length = int(lower.get("content-length", "0"))
        body = read(length)
        is_whole = len(body) == length
    return Seen(first[0], first[1], tuple(headers), body, number, is_whole)


def _read_chunks(readline: Callable[[], bytes], read: Callable[[int], bytes]) -> tuple[bytes, bool]:
    body = bytearray()
    while size_line := readline():
        size = int(size_line, 16)
        body += read(size)
        readline()
        if size == 0:
            return bytes(body), True
    return bytes(body), False
