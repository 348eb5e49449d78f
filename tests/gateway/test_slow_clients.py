"""Clients that stop in the middle: nobody is answered before the body is in, or the time for it is over."""

import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from tests.testkit.gateway.backend import RecordingBackend, http_answer
from tests.testkit.gateway.process import RunningGateway, free_port, receive_until

Start = Callable[..., RunningGateway]
PAY = b"POST /payments-api/payments HTTP/1.1\r\nHost: a\r\n"
SHORT_BODY = b"Content-Length: 9999\r\n\r\nbegin"
# Longer than an answer that did not wait for the body would take, on a busy machine too.
LATE_S = 4


@pytest.fixture
def early() -> Iterator[socket.socket]:
    """A backend that a test answers for by hand."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(60)
        yield listener


def url(listener: socket.socket) -> str:
    return f"http://127.0.0.1:{listener.getsockname()[1]}"


def assert_silent(client: socket.socket) -> None:
    client.settimeout(1)
    with pytest.raises(TimeoutError):
        client.recv(1)
    client.settimeout(60)


def answer_early(early: socket.socket) -> socket.socket:
    """Refuse the upload as soon as it begins."""
    backend, _ = early.accept()
    backend.settimeout(60)
    receive_until(backend, b"begin")
    backend.sendall(http_answer("413 Too big", b"{}", ["Content-Type: application/problem+json"]))
    return backend


def test_a_services_early_answer_waits_for_the_end_of_the_body(
    start_gateway: Start, early: socket.socket
) -> None:
    gateway = start_gateway(payment_service=url(early))
    with gateway.connect() as client:
        client.sendall(PAY + SHORT_BODY)
        with answer_early(early):
            assert_silent(client)
            client.sendall(b"x" * (9999 - len(b"begin")))
            received = receive_until(client, b"{}")
            client.sendall(b"GET /__health HTTP/1.1\r\nHost: a\r\n\r\n")
            health = receive_until(client, b"}")

    assert received.startswith(b"HTTP/1.1 413 Request Entity Too Large\r\n")
    assert b"Connection: close" not in received
    assert health.startswith(b"HTTP/1.1 200 OK\r\n")


def test_a_body_of_more_than_256_kib_is_not_waited_for(start_gateway: Start, early: socket.socket) -> None:
    gateway = start_gateway(payment_service=url(early))
    with gateway.connect() as client:
        client.sendall(PAY + b"Content-Length: 999999\r\n\r\nbegin")
        with answer_early(early):
            received = receive_while_sending(client)
            end = client.recv(1)

    assert received.startswith(b"HTTP/1.1 413 Request Entity Too Large\r\n")
    assert b"\r\nConnection: close\r\n" in received
    assert end == b""


def receive_while_sending(client: socket.socket) -> bytes:
    """Send on until the answer comes: KrakenD's call to the service reads a piece or two more."""
    client.settimeout(1)
    for _ in range(60):
        client.sendall(b"x")
        try:
            return client.recv(65536)
        except TimeoutError:
            continue
    raise AssertionError("no answer")


def test_a_malformed_chunk_ends_the_wait_and_the_connection(gateway: RunningGateway) -> None:
    with gateway.connect() as client:
        client.sendall(b"POST /nowhere HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        assert_silent(client)
        client.sendall(b"zz\r\n")
        received = b"".join(iter(lambda: client.recv(65536), b""))

    assert received.startswith(b"HTTP/1.1 404 Not Found\r\n")
    assert b"\r\nConnection: close\r\n" in received


def test_an_early_answer_that_waits_beyond_the_time_out_becomes_500(
    start_gateway: Start, early: socket.socket
) -> None:
    gateway = start_gateway(payment_service=url(early), timeout=f"{LATE_S}s", provider_timeout=f"{LATE_S}s")
    with gateway.connect() as client:
        client.sendall(PAY + SHORT_BODY)
        with answer_early(early):
            client.settimeout(LATE_S + 2)
            with pytest.raises(TimeoutError):  # the time-out's own 500 waits for the body too
                client.recv(1)
            client.sendall(b"x" * (9999 - len(b"begin")))
            received = receive_until(client, b"\r\n\r\n")

    assert received.startswith(b"HTTP/1.1 500 Internal Server Error\r\n")
    assert b"Content-Length: 0" in received


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (PAY, b"HTTP/1.1 500 "),  # nobody listens there
        (b"POST /nowhere HTTP/1.1\r\nHost: a\r\n", b"HTTP/1.1 404 "),
        (b"PUT /payments-api/payments HTTP/1.1\r\nHost: a\r\n", b"HTTP/1.1 405 "),
        (b"GET /payments-api/payments/%2520 HTTP/1.1\r\nHost: a\r\n", b"HTTP/1.1 400 "),
        (b"GET /__health HTTP/1.1\r\nHost: a\r\n", b"HTTP/1.1 200 "),
    ],
)
@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_the_gateways_own_answers_wait_for_the_body(
    start_gateway: Start, head: bytes, status: bytes, framing: str
) -> None:
    gateway = start_gateway(payment_service=f"http://127.0.0.1:{free_port()}")
    begin, rest = {
        "length": (b"Content-Length: 6\r\n\r\nbeg", b"in!"),
        "chunked": (b"Transfer-Encoding: chunked\r\n\r\n3\r\nbeg\r\n", b"3\r\nin!\r\n0\r\n\r\n"),
    }[framing]
    with gateway.connect() as client:
        client.sendall(head + begin)
        assert_silent(client)
        client.sendall(rest)
        received = client.recv(65536)

    assert received.startswith(status)


@pytest.mark.parametrize(
    ("head", "status"),
    [(PAY, b"HTTP/1.1 500 "), (b"POST /nowhere HTTP/1.1\r\nHost: a\r\n", b"HTTP/1.1 404 ")],
)
@pytest.mark.parametrize("begin", [SHORT_BODY, b"Transfer-Encoding: chunked\r\n\r\n5\r\nbegin\r\n"])
def test_a_body_that_stops_is_cut_by_the_read_time_out(
    start_gateway: Start, payment_service: RecordingBackend, head: bytes, status: bytes, begin: bytes
) -> None:
    gateway = start_gateway(members={"read_timeout": f"{LATE_S}s"})
    with gateway.connect() as client:
        client.sendall(head + begin)
        received = b"".join(iter(lambda: client.recv(65536), b""))

    assert received.startswith(status)
    assert b"\r\nConnection: close\r\n" in received
    assert all(not seen.is_whole for seen in payment_service.requests)


def test_a_request_that_has_arrived_may_be_answered_after_the_read_time_out(
    start_gateway: Start, payment_service: RecordingBackend
) -> None:
    over = threading.Event()

    def answer_late(_seen: object, connection: socket.socket) -> bool:
        over.wait(LATE_S + 1)
        connection.sendall(http_answer(body=b"late"))
        return True

    payment_service.script = answer_late
    gateway = start_gateway(members={"read_timeout": f"{LATE_S}s", "idle_timeout": f"{LATE_S}s"})

    answer = gateway.request("POST", "/payments-api/payments", b"{}")

    assert (answer.status, answer.body) == (200, b"late")


def test_an_idle_connection_is_closed_after_its_time_out(start_gateway: Start) -> None:
    gateway = start_gateway(members={"idle_timeout": f"{LATE_S}s"})
    with gateway.connect() as client:
        for _ in range(2):
            client.sendall(b"GET /__health HTTP/1.1\r\nHost: a\r\n\r\n")
            receive_until(client, b"}")
        client.settimeout(60)  # as long as a head may take here
        end = client.recv(1)

    assert end == b""


def test_a_later_head_that_stops_inside_a_line_is_answered_400(start_gateway: Start) -> None:
    gateway = start_gateway(members={"read_header_timeout": f"{LATE_S}s"})
    with gateway.connect() as client:
        client.sendall(b"GET /__health HTTP/1.1\r\nHost: a\r\n\r\n")
        receive_until(client, b"}")
        client.sendall(b"GET /__hea")
        received = client.recv(65536)

    assert received.startswith(b"HTTP/1.1 400 Bad Request\r\n")
