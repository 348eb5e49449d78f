"""The gateway as a server: big or broken heads, 100-continue, and how it stops."""

import socket
import threading
from collections.abc import Callable

import pytest
from gateway.testing.backend import RecordingBackend, Seen, http_answer
from gateway.testing.process import RunningGateway, receive_until


def exchange(gateway: RunningGateway, request: bytes) -> bytes:
    """Everything that comes back until the gateway closes."""
    received = b""
    with gateway.connect() as connection:
        connection.sendall(request)
        while piece := connection.recv(65536):
            received += piece
    return received


def test_a_head_beyond_the_limit_is_answered_431_and_closed(gateway: RunningGateway) -> None:
    received = exchange(
        gateway, b"GET /__health HTTP/1.1\r\nHost: a\r\nX-Big: " + b"x" * 20_500 + b"\r\n\r\n"
    )

    assert received.startswith(b"HTTP/1.1 431 Request Header Fields Too Large\r\n")


def test_a_second_head_beyond_the_limit_is_answered_431(gateway: RunningGateway) -> None:
    small = b"GET /__health HTTP/1.1\r\nHost: a\r\n\r\n"
    big = b"GET /__health HTTP/1.1\r\nHost: a\r\n" + b"X-Part: " + b"x" * 7_000 + b"\r\n"

    received = exchange(gateway, small + big + (b"X-Part: " + b"x" * 7_000 + b"\r\n") * 2 + b"\r\n")

    assert received.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"HTTP/1.1 431 Request Header Fields Too Large\r\n" in received


def test_a_head_of_sixteen_kibibytes_passes(gateway: RunningGateway) -> None:
    answer = gateway.request("GET", "/__health", headers={"X-Big": "x" * 16_000})

    assert answer.status == 200


@pytest.mark.parametrize(
    "request_line",
    [b"GET /payments-api/payments/%zz HTTP/1.1", b"GET /payments-api/payments/% HTTP/1.1", b"hello"],
)
def test_a_malformed_request_is_answered_400_and_closed(gateway: RunningGateway, request_line: bytes) -> None:
    received = exchange(gateway, request_line + b"\r\nHost: a\r\n\r\n")

    assert received.startswith((b"HTTP/1.1 400 Bad Request\r\n", b"HTTP/1.0 400 Bad Request\r\n"))


def test_continue_is_said_when_the_backend_is_to_get_the_body(
    gateway: RunningGateway, payment_service: RecordingBackend
) -> None:
    with gateway.connect() as connection:
        connection.sendall(
            b"POST /payments-api/payments HTTP/1.1\r\nHost: a\r\n"
            b"Content-Length: 2\r\nExpect: 100-continue\r\n\r\n"
        )
        permission = receive_until(connection, b"\r\n\r\n")
        connection.sendall(b"{}")
        answer = receive_until(connection, b'{"ok": true}')

    assert permission == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert payment_service.only.body == b"{}"
    assert payment_service.only.header("Expect") is None


def test_no_continue_for_a_path_that_is_not_there(gateway: RunningGateway) -> None:
    received = exchange(
        gateway, b"POST /nowhere HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"
    )

    assert received.startswith(b"HTTP/1.1 404 Not Found\r\n")


def test_a_stop_lets_running_requests_finish_and_closes_the_rest(
    start_gateway: Callable[..., RunningGateway], payment_service: RecordingBackend
) -> None:
    go_on = threading.Event()

    def answer_later(_seen: Seen, connection: socket.socket) -> bool:
        go_on.wait(60)
        connection.sendall(http_answer(body=b"finished"))
        return True

    payment_service.script = answer_later
    gateway = start_gateway(timeout="30s")
    with gateway.connect() as idle, gateway.connect() as silent, gateway.connect() as busy:
        idle.settimeout(10)  # less than the 20 s that a drain may take
        silent.settimeout(10)
        idle.sendall(b"GET /__health HTTP/1.1\r\nHost: a\r\n\r\n")
        receive_until(idle, b"}")
        busy.sendall(b"GET /payments-api/payments/7 HTTP/1.1\r\nHost: a\r\n\r\n")
        payment_service.wait_for(1)

        gateway.process.terminate()
        closed = (idle.recv(65536), silent.recv(65536))
        with pytest.raises(ConnectionError):
            gateway.connect()
        go_on.set()
        answer = receive_until(busy, b"finished")

    assert closed == (b"", b"")
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert gateway.process.wait(timeout=20) == 0
