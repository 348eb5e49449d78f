"""The gateway as a server: big or broken heads, 100-continue, and how it stops."""

import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.testkit.gateway.backend import RecordingBackend, Seen, answering, http_answer
from tests.testkit.gateway.process import RunningGateway, receive_until


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


@pytest.mark.parametrize(("size", "status"), [(23_000, b"200 OK"), (26_000, b"431 Request Header")])
def test_later_heads_may_be_four_kibibytes_bigger(gateway: RunningGateway, size: int, status: bytes) -> None:
    small = b"GET /__health HTTP/1.1\r\nHost: a\r\n\r\n"
    lines = b"".join(b"X-Part: " + b"x" * 990 + b"\r\n" for _ in range(size // 1000))

    received = exchange(
        gateway, small + b"GET /__health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" + lines + b"\r\n"
    )

    assert received.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"}HTTP/1.1 " + status in received


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


@pytest.mark.parametrize(
    "sent",
    [
        b"GET /payments-api/payments/x4111111111111111 HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /payments-api/payments/4111%20%201111.1111_1111 HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nx4111 1111 1111 1111 bad\r\n\r\n",
        b"4111111111111111\r\n\r\n",
    ],
)
def test_no_log_line_of_the_emulator_shows_what_may_be_a_card_number(
    gateway: RunningGateway, sent: bytes
) -> None:
    if gateway.is_real:
        pytest.skip("KrakenD logs addresses as they are: the services' own logs are what we answer for")

    with gateway.connect() as connection:
        connection.sendall(sent)
        connection.recv(1000)

    assert "1111" not in gateway.logged


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


def test_no_continue_for_a_path_that_is_not_there_and_the_connection_waits(gateway: RunningGateway) -> None:
    with gateway.connect() as connection:
        connection.sendall(
            b"POST /nowhere HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"
        )
        received = receive_until(connection, b"}")
        connection.settimeout(1)
        with pytest.raises(TimeoutError):
            connection.recv(1)
        connection.settimeout(60)
        connection.sendall(b"{}")
        end = connection.recv(1)

    assert received.startswith(b"HTTP/1.1 404 Not Found\r\n")
    assert b"\r\nConnection: close\r\n" in received
    assert end == b""


def test_a_stop_lets_running_requests_finish_and_closes_the_rest(
    start_gateway: Callable[..., RunningGateway], payment_service: RecordingBackend
) -> None:
    go_on = threading.Event()

    def answer_later(_seen: Seen, connection: socket.socket) -> bool:
        go_on.wait(100)
        connection.sendall(http_answer(body=b"finished"))
        return True

    payment_service.script = answer_later
    gateway = start_gateway(members={"max_shutdown_wait_time": "90s"})
    with gateway.connect() as idle, gateway.connect() as silent, gateway.connect() as busy:
        idle.settimeout(60)  # less than a drain may take here
        silent.settimeout(60)
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
    assert b"\r\nConnection: close\r\n" in answer
    assert gateway.process.wait(timeout=60) == 0


def test_a_late_head_is_closed_without_an_answer_or_with_400_inside_a_line(
    start_gateway: Callable[..., RunningGateway],
) -> None:
    gateway = start_gateway(members={"read_header_timeout": "5s"})
    with gateway.connect() as silent, gateway.connect() as between:
        between.sendall(b"GET /__health HTTP/1.1\r\nHost: a\r\n")
        with gateway.connect() as inside:
            inside.sendall(b"GET /__health HTTP/1.1\r\nHos")
            received = [silent.recv(65536), between.recv(65536), inside.recv(65536)]

    assert received[:2] == [b"", b""]
    assert received[2].startswith(b"HTTP/1.1 400 Bad Request\r\n")


def test_pipelined_requests_are_answered_in_order(
    gateway: RunningGateway, payment_service: RecordingBackend
) -> None:
    def echo_target(seen: Seen, connection: socket.socket) -> bool:
        connection.sendall(http_answer(body=seen.target.encode()))
        return True

    payment_service.script = echo_target
    requests = [f"GET /payments-api/payments/{n} HTTP/1.1\r\nHost: a\r\n\r\n".encode() for n in (1, 2, 3)]

    with gateway.connect() as connection:
        connection.sendall(b"".join(requests))
        received = receive_until(connection, b"/payments/3")

    assert received.index(b"/payments/1") < received.index(b"/payments/2") < received.index(b"/payments/3")


def test_many_clients_at_once_get_their_own_answers(
    gateway: RunningGateway, payment_service: RecordingBackend
) -> None:
    def echo(seen: Seen, connection: socket.socket) -> bool:
        connection.sendall(http_answer(body=seen.target.encode() + seen.body))
        return True

    payment_service.script = echo

    def pay(number: int) -> bytes:
        return gateway.request("POST", f"/payments-api/payments/{number}", b" %d" % number).body

    with ThreadPoolExecutor(16) as pool:
        bodies = list(pool.map(pay, range(100)))

    assert bodies == [b"/payments/process/%d %d" % (n, n) for n in range(100)]


def test_header_bytes_that_are_not_utf_8_pass_unchanged(
    gateway: RunningGateway, payment_service: RecordingBackend
) -> None:
    payment_service.script = answering(
        http_answer(headers=["X-Name: a"]).replace(b"X-Name: a", b"X-Name: \xe9\xc3\xa9\xff")
    )
    request = (
        b"GET /payments-api/payments/%ff HTTP/1.1\r\nHost: a\r\nAccept-Language: \xe9\xc3\xa9\xff\r\n\r\n"
    )

    with gateway.connect() as connection:
        connection.sendall(request)
        received = receive_until(connection, b"\r\n\r\n")

    assert received.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"\r\nX-Name: \xe9\xc3\xa9\xff\r\n" in received
    assert payment_service.only.target == "/payments/%FF"
    assert payment_service.only.header("Accept-Language") == "\xe9\xc3\xa9\xff"


def test_raw_bytes_beyond_ascii_in_a_target_are_percent_encoded(
    gateway: RunningGateway, payment_service: RecordingBackend
) -> None:
    request = b"GET /v1/payments/\xc3\xa9\xff?order_id=\xe9&a=%C3%A9 HTTP/1.1\r\nHost: a\r\n\r\n"

    with gateway.connect() as connection:
        connection.sendall(request)
        receive_until(connection, b'{"ok": true}')

    assert payment_service.only.target == "/v1/payments/%C3%A9%FF?a=%C3%A9&order_id=%E9"


def test_a_repeated_content_type_passes_and_the_first_user_agent(
    gateway: RunningGateway, payment_service: RecordingBackend
) -> None:
    gateway.request(
        "POST",
        "/payments-api/payments",
        b"{}",
        [("Content-Type", "a/b"), ("User-Agent", "one"), ("content-type", "c/d"), ("user-agent", "two")],
    )

    assert payment_service.only.all("Content-Type") == ["a/b", "c/d"]
    assert payment_service.only.all("User-Agent") == ["one"]


@pytest.mark.parametrize(("size", "stays"), [(2_000, True), (3_000, False)])
def test_http_1_0_keeps_a_connection_only_where_the_answers_end_is_known(
    gateway: RunningGateway, payment_service: RecordingBackend, size: int, stays: bool
) -> None:
    payment_service.script = answering(
        b"HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"%x\r\n%s\r\n0\r\n\r\n" % (size, b"x" * (size - 1) + b"!")
    )
    request = b"GET /payments-api/payments/7 HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n"

    with gateway.connect() as connection:
        connection.sendall(request)
        received = receive_until(connection, b"!")
        connection.settimeout(60 if not stays else 1)
        try:
            is_open = connection.recv(1) != b""
        except TimeoutError:
            is_open = True

    assert received.startswith(b"HTTP/1.")
    assert is_open is stays


@pytest.mark.deep
def test_a_stop_cuts_what_takes_longer_than_twenty_seconds(
    start_gateway: Callable[..., RunningGateway], payment_service: RecordingBackend
) -> None:
    over = threading.Event()
    payment_service.script = lambda _seen, _connection: over.wait(100) and False
    gateway = start_gateway()
    with gateway.connect() as busy:
        busy.settimeout(90)  # less than the route waits for the backend
        busy.sendall(b"GET /payments-api/payments/7 HTTP/1.1\r\nHost: a\r\n\r\n")
        payment_service.wait_for(1)

        gateway.process.terminate()
        received = busy.recv(65536)
    over.set()

    assert received == b""
    assert gateway.process.wait(timeout=60) is not None
