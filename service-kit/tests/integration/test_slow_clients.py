"""A real gunicorn with 4 threads and clients that are slow, silent or wrong: none of them holds a thread."""

import re
import resource
import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import BinaryIO

import psutil
import pytest

from tests.testkit.web_process import PATIENCE_S, WebProcess, wait_until, web_process

# Says what it was asked and sent, but leaves the body of /unread; /large is more than the system buffers.
APP = """
class App:
    config = {"MAX_CONTENT_LENGTH": 100_000}

    def __call__(self, environ, start_response):
        body = b"" if environ["PATH_INFO"] == "/unread" else environ["wsgi.input"].read()
        answer = b"%s %d" % (environ["PATH_INFO"].encode(), len(body))
        if environ["PATH_INFO"] == "/large":
            answer = bytes(20_000_000)
        start_response("200 OK", [("Content-Length", str(len(answer)))])
        return [answer]

app = App()
"""
HEAD = b"POST /a HTTP/1.1\r\nHost: a\r\n"
GET = b"GET /g HTTP/1.1\r\nHost: a\r\n\r\n"
# More than there are threads.
MANY = 6


@pytest.fixture(scope="module")
def patient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebProcess]:
    """Gives every request the time that a busy machine may need."""
    with web_process(
        tmp_path_factory.mktemp("patient"), APP, WEB_REQUEST_WITHIN_S=str(PATIENCE_S)
    ) as running:
        yield running


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebProcess]:
    with web_process(tmp_path_factory.mktemp("strict"), APP, WEB_REQUEST_WITHIN_S="0.5") as running:
        yield running


@contextmanager
def many(web: WebProcess, start: bytes) -> Iterator[list[socket.socket]]:
    with ExitStack() as stack:
        connections = [stack.enter_context(web.connect()) for _ in range(MANY)]
        for connection in connections:
            connection.sendall(start)
        yield connections


def exchange(connection: socket.socket, *sent: bytes, answers: int = 1) -> list[tuple[int, bytes]]:
    """Send, and read so many answers: their status and body."""
    for part in sent:
        connection.sendall(part)
    stream = connection.makefile("rb")
    return [read_answer(stream) for _ in range(answers)]


def read_answer(stream: BinaryIO) -> tuple[int, bytes]:
    status = int(stream.readline().split()[1])
    length = 0
    while line := stream.readline().strip():
        if line.lower().startswith(b"content-length:"):
            length = int(line.split(b":")[1])
    return status, stream.read(length)


def read_to_end(connection: socket.socket) -> bytes:
    return b"".join(iter(lambda: connection.recv(65536), b""))


@pytest.mark.parametrize(
    "start",
    [
        b"",
        b"G",
        HEAD,
        HEAD + b"Content-Length: 10\r\n\r\n12345",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n",
        HEAD + b"Expect: 100-continue\r\nContent-Length: 10\r\n\r\n",
        GET,  # answered, and silent afterwards
    ],
)
def test_clients_that_do_not_go_on_hold_no_thread(patient: WebProcess, start: bytes) -> None:
    with many(patient, start), patient.connect() as connection:
        assert exchange(connection, GET) == [(200, b"/g 0")]


def test_what_comes_in_pieces_is_answered_when_it_is_whole(patient: WebProcess) -> None:
    with many(patient, b"") as connections:
        for piece in (b"POST /a HT", b"TP/1.1\r\nHost: a\r\nContent-Le", b"ngth: 4\r\n\r\n", b"ab"):
            for connection in connections:
                connection.sendall(piece)
        for connection in connections:
            assert exchange(connection, b"cd") == [(200, b"/a 4")]


def test_chunks_are_answered_when_the_last_one_is_there(patient: WebProcess) -> None:
    with patient.connect() as connection:
        parts = (
            HEAD + b"Transfer-Encoding: chunked\r\n\r\n",
            b"3\r\nabc\r\n",
            b"2;x=y\r\nde\r",
            b"\n0\r\n",
            b"A: b\r\n\r\n",
        )

        assert exchange(connection, *parts) == [(200, b"/a 5")]
        assert exchange(connection, GET) == [(200, b"/g 0")]


def test_pipelined_requests_are_answered_one_after_the_other(patient: WebProcess) -> None:
    chunked = b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
    length = b"Content-Length: 5\r\n\r\n12345"
    with patient.connect() as connection:
        sent = HEAD + chunked + GET + HEAD + length + GET[:10]

        assert exchange(connection, sent, answers=3) == [(200, b"/a 3"), (200, b"/g 0"), (200, b"/a 5")]
        assert exchange(connection, GET[10:]) == [(200, b"/g 0")]


def test_a_body_that_the_application_leaves_is_not_taken_for_a_request(patient: WebProcess) -> None:
    with patient.connect() as connection:
        unread = b"POST /unread HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(GET)

        assert exchange(connection, unread + GET + GET, answers=2) == [(200, b"/unread 0"), (200, b"/g 0")]


def test_who_expects_to_be_told_is_told_once_to_continue(patient: WebProcess) -> None:
    with patient.connect() as connection:
        connection.sendall(HEAD + b"Expect: 100-continue\r\nContent-Length: 3\r\nConnection: close\r\n\r\n")
        told = connection.recv(100)
        connection.sendall(b"abc")
        answer = read_to_end(connection)

    assert told == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert answer.startswith(b"HTTP/1.1 200")
    assert answer.endswith(b"/a 3")


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GET / HTTP/1.1\nHost: a\n\n", 400),
        (HEAD + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (HEAD + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc", 400),
        (HEAD + b"Transfer-Encoding: gzip\r\n\r\n", 400),
        (HEAD + b"Expect: tea\r\nContent-Length: 3\r\n\r\n", 417),
        (b"GET /" + b"x" * 40_000, 414),
        (b"GET / HTTP/1.1\r\n" + b"X: 0123456789abcdef\r\n" * 1700, 431),
    ],
)
def test_what_gunicorn_refuses_it_refuses_at_once(patient: WebProcess, sent: bytes, status: int) -> None:
    with patient.connect() as connection:
        connection.sendall(sent)

        answer = read_to_end(connection)

    assert answer.startswith(b"HTTP/1.1 %d " % status)
    assert answer.count(b"HTTP/1.1") == 1


def test_a_body_larger_than_any_is_not_waited_for(patient: WebProcess) -> None:
    """The application answers (ours with 413), and the connection ends: its bytes can be of anything."""
    with patient.connect() as connection:
        connection.sendall(b"POST /unread HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n")

        answer = read_to_end(connection)

    assert answer.startswith(b"HTTP/1.1 200")
    assert re.search(rb"(?i)\r\nconnection: close\r\n", answer)


def test_a_request_must_be_whole_in_time(strict: WebProcess) -> None:
    with many(strict, HEAD) as connections:
        for connection in connections:
            assert read_to_end(connection).startswith(b"HTTP/1.1 408 ")


def test_a_silent_connection_may_wait_for_its_request(strict: WebProcess) -> None:
    """A gateway opens some in advance, and would lose the payment that it sends when we close one."""
    with many(strict, b"") as silent, many(strict, HEAD) as slow:
        for connection in slow:
            read_to_end(connection)

        for connection in silent:
            assert exchange(connection, GET) == [(200, b"/g 0")]


def test_clients_that_do_not_take_their_answer_give_the_thread_back(patient: WebProcess) -> None:
    with many(patient, GET.replace(b"/g", b"/large")), patient.connect() as connection:
        assert exchange(connection, GET) == [(200, b"/g 0")]


def test_where_there_are_too_many_the_one_that_is_waited_for_longest_is_dropped(tmp_path: Path) -> None:
    few = {"WEB_CONNECTIONS": "6", "WEB_REQUEST_WITHIN_S": str(PATIENCE_S)}
    with (
        web_process(tmp_path, APP, **few) as web,
        many(web, HEAD) as connections,
        web.connect() as last,
    ):
        assert exchange(last, GET) == [(200, b"/g 0")]
        assert read_to_end(connections[0]) == b""
        # The newest of the others is still there.
        assert exchange(connections[-1], b"\r\n") == [(200, b"/a 0")]


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="needs the limits of another process")
def test_a_process_without_files_left_goes_on(tmp_path: Path) -> None:
    with web_process(tmp_path, APP, WEB_REQUEST_WITHIN_S=str(PATIENCE_S)) as web:
        worker = worker_of(web)
        limit = psutil.Process(worker).num_fds() + 5
        resource.prlimit(worker, resource.RLIMIT_NOFILE, (limit, limit))

        with many(web, HEAD), web.connect() as connection:
            assert exchange(connection, GET) == [(200, b"/g 0")]


def test_large_bodies_are_dropped_before_they_fill_the_memory(tmp_path: Path) -> None:
    large = APP.replace("100_000", "50_000_000")
    with web_process(tmp_path, large, WEB_REQUEST_WITHIN_S=str(PATIENCE_S)) as web:
        worker = worker_of(web)
        before = resident_bytes(worker)
        start = HEAD + b"Content-Length: 49000000\r\n\r\n" + b"x" * 8_000_000
        with ExitStack() as stack:
            for _ in range(MANY):
                connection = stack.enter_context(web.connect())
                try:
                    connection.sendall(start)
                except OSError:
                    continue
            with web.connect() as connection:
                assert exchange(connection, GET) == [(200, b"/g 0")]
            grown = resident_bytes(worker) - before

    assert grown < 60_000_000  # of 96


def test_a_stopping_process_waits_for_no_slow_client(tmp_path: Path) -> None:
    with web_process(tmp_path, APP, WEB_REQUEST_WITHIN_S="0.5") as web:
        with many(web, HEAD), many(web, b""), many(web, GET):
            with web.connect() as connection:
                exchange(connection, GET)

            web.process.send_signal(signal.SIGTERM)

            assert web.process.wait(PATIENCE_S) == 0
        assert "Traceback" not in web.logged


def test_a_worker_that_has_answered_enough_gives_way_to_another(tmp_path: Path) -> None:
    with web_process(tmp_path, APP, GUNICORN_CMD_ARGS="--max-requests 3") as web:
        first = worker_of(web)
        for _ in range(6):
            connection = HTTPConnection("127.0.0.1", web.port, timeout=PATIENCE_S)
            connection.request("GET", "/g")
            assert connection.getresponse().read() == b"/g 0"
            connection.close()
        wait_until(lambda: first not in workers_of(web))
        assert "Traceback" not in web.logged


def test_no_client_made_the_process_fail(patient: WebProcess, strict: WebProcess) -> None:
    for web in (patient, strict):
        assert "Traceback" not in web.logged


def workers_of(web: WebProcess) -> list[int]:
    return [worker.pid for worker in psutil.Process(web.process.pid).children()]


def worker_of(web: WebProcess) -> int:
    with web.connect() as connection:
        exchange(connection, GET)
    return workers_of(web)[0]


def resident_bytes(pid: int) -> int:
    size: int = psutil.Process(pid).memory_info().rss
    return size
