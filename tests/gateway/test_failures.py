"""Backends that are down, slow, cut, or send elsewhere: for a client always an empty 500 or what came."""

import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.testkit.gateway.backend import RecordingBackend, Seen, answering, hang_up, http_answer
from tests.testkit.gateway.process import Answer, RunningGateway, free_port, receive_until

PAY = "/payments-api/payments/7"


def assert_empty_500(answer: Answer) -> None:
    assert (answer.status, answer.body) == (500, b"")
    assert answer.header("Content-Type") is None
    assert answer.header("X-Krakend") == "Version undefined"
    assert answer.header("X-Krakend-Completed") == "false"
    assert answer.header("X-Content-Type-Options") == "nosniff"


def test_a_backend_that_is_down_is_an_empty_500(start_gateway: Callable[..., RunningGateway]) -> None:
    gateway = start_gateway(payment_service=f"http://127.0.0.1:{free_port()}")

    assert_empty_500(gateway.request("GET", PAY))
    assert_empty_500(gateway.request("POST", "/payments-api/payments", b"{}"))


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_fresh_connection_closed_without_answer_is_an_empty_500(
    start_gateway: Callable[..., RunningGateway], payment_service: RecordingBackend, method: str
) -> None:
    payment_service.script = hang_up
    gateway = start_gateway()

    answer = gateway.request(method, PAY)

    assert_empty_500(answer)
    assert len(payment_service.requests) == 1


def test_an_answer_that_is_not_http_is_an_empty_500(
    gateway: RunningGateway, payment_service: RecordingBackend
) -> None:
    payment_service.script = answering(b"hello\r\n\r\n", close=True)

    assert_empty_500(gateway.request("POST", PAY, b"{}"))


class Pause:
    """Answers after a while, or as soon as the test is over."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self.over = threading.Event()

    def __call__(self, _seen: Seen, connection: socket.socket) -> bool:
        self.over.wait(self._seconds)
        connection.sendall(http_answer(body=b"late"))
        return True


def test_late_answers_are_empty_500s(
    start_gateway: Callable[..., RunningGateway],
    payment_service: RecordingBackend,
    store_manager: RecordingBackend,
) -> None:
    # Long enough for a busy machine to bring the requests to the backends, who never answer.
    gateway = start_gateway(timeout="4s", slow_timeout="4s")
    payment_service.script = store_manager.script = pause = Pause(100)
    routes = [
        ("GET", PAY),
        ("POST", "/payments-api/payments"),
        ("PUT", "/store-api/orders"),
        ("GET", "/store-api/test/slow/3"),
        ("GET", "/store-manager-api/test/slow/3"),
    ]

    with ThreadPoolExecutor(len(routes)) as clients:
        answers = list(clients.map(lambda route: gateway.request(*route), routes))
    pause.over.set()

    for answer in answers:
        assert_empty_500(answer)
    assert len(payment_service.requests) + len(store_manager.requests) == len(routes)


@pytest.mark.parametrize("path", [PAY, "/payments-api/payments/process/7"])
def test_processing_a_payment_may_take_longer(
    start_gateway: Callable[..., RunningGateway], payment_service: RecordingBackend, path: str
) -> None:
    gateway = start_gateway(timeout="100ms")
    payment_service.script = Pause(0.5)

    answer = gateway.request("POST", path, b"{}")

    assert (answer.status, answer.body) == (200, b"late")


def test_a_body_cut_short_of_its_length_arrives_short(
    gateway: RunningGateway, payment_service: RecordingBackend
) -> None:
    payment_service.script = answering(
        b"HTTP/1.1 201 Created\r\nContent-Type: a/b\r\nContent-Length: 100\r\n\r\nshort", close=True
    )

    answer = gateway.request("POST", PAY, b"{}")

    assert (answer.status, answer.body, answer.is_whole) == (201, b"short", False)


def test_a_body_cut_after_its_headers_has_its_status(
    gateway: RunningGateway, payment_service: RecordingBackend
) -> None:
    payment_service.script = answering(b"HTTP/1.1 201 Created\r\nContent-Length: 100\r\n\r\n", close=True)

    answer = gateway.request("POST", PAY, b"{}")

    assert (answer.status, answer.body, answer.is_whole) == (201, b"", False)


@pytest.mark.parametrize("length", [5, 50_000])
def test_a_chunked_body_that_is_cut_looks_whole(
    gateway: RunningGateway, payment_service: RecordingBackend, length: int
) -> None:
    body = b"x" * length
    payment_service.script = answering(
        b"HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n"
        % (length, body),
        close=True,
    )

    answer = gateway.request("GET", PAY)

    assert (answer.status, answer.body, answer.is_whole) == (200, body, True)


def test_a_body_that_stalls_is_cut_by_the_time_out(
    start_gateway: Callable[..., RunningGateway], payment_service: RecordingBackend
) -> None:
    # Long enough for a busy machine to pass on what comes before.
    gateway = start_gateway(timeout="4s")
    over = threading.Event()

    def stall(_seen: Seen, connection: socket.socket) -> bool:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nContent-Length: 100\r\n\r\nsome")
        return over.wait(100)

    payment_service.script = stall

    answer = gateway.request("GET", PAY)
    over.set()

    assert (answer.status, answer.body, answer.is_whole) == (200, b"some", False)


UPLOAD = b"POST /payments-api/payments HTTP/1.1\r\nHost: a\r\nContent-Length: 9999\r\n\r\nbegin"


def test_an_upload_that_breaks_off_ends_the_backends_call(
    start_gateway: Callable[..., RunningGateway],
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        gateway = start_gateway(payment_service=f"http://127.0.0.1:{listener.getsockname()[1]}")
        with gateway.connect() as client:
            client.sendall(UPLOAD)
            backend, _ = listener.accept()
            backend.settimeout(60)  # less than the route waits for the backend
            received = receive_until(backend, b"begin")
        with backend:
            rest = backend.recv(65536)

    assert b"Content-Length: 9999" in received
    assert rest == b""


@pytest.mark.parametrize("status", [301, 302, 303])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_redirects_of_a_backend_are_followed_as_get(
    gateway: RunningGateway, payment_service: RecordingBackend, status: int, method: str
) -> None:
    redirect = http_answer(f"{status} Moved", headers=["Location: /elsewhere?x=1"])

    def script(seen: Seen, connection: socket.socket) -> bool:
        connection.sendall(http_answer(body=b"end") if seen.target == "/elsewhere?x=1" else redirect)
        return True

    payment_service.script = script

    answer = gateway.request(method, PAY, b"{}" if method == "POST" else None)

    first, second = payment_service.requests
    assert (answer.status, answer.body) == (200, b"end")
    assert (second.method, second.body) == ("GET", b"")
    assert second.header("Content-Length") is None
    assert second.header("Referer") == payment_service.url + first.target


@pytest.mark.parametrize("status", [307, 308])
def test_a_redirect_that_keeps_the_method_is_followed_only_without_a_body(
    gateway: RunningGateway, payment_service: RecordingBackend, status: int
) -> None:
    redirect = http_answer(f"{status} Moved", headers=["Location: /elsewhere"])

    def script(seen: Seen, connection: socket.socket) -> bool:
        connection.sendall(http_answer(body=b"end") if seen.target == "/elsewhere" else redirect)
        return True

    payment_service.script = script

    followed = gateway.request("POST", PAY)
    relayed = gateway.request("POST", PAY, b"{}")

    assert (followed.status, followed.body) == (200, b"end")
    assert [seen.method for seen in payment_service.requests] == ["POST", "POST", "POST"]
    assert (relayed.status, relayed.header("Location")) == (status, "/elsewhere")


def test_an_endless_redirect_is_an_empty_500_after_ten_requests(
    gateway: RunningGateway, payment_service: RecordingBackend
) -> None:
    payment_service.script = answering(http_answer("302 Found", headers=["Location: /again"]))

    answer = gateway.request("GET", PAY)

    assert_empty_500(answer)
    assert len(payment_service.requests) == 10


@pytest.mark.parametrize(
    "location", ["http://[::1", "http://a:port/", "/%zz", "http://a b/", ":8080", "1a:b", "/a\x01"]
)
def test_a_redirect_to_no_address_is_an_empty_500(
    gateway: RunningGateway, payment_service: RecordingBackend, location: str
) -> None:
    payment_service.script = answering(http_answer("302 Found", headers=[f"Location: {location}"]))

    assert_empty_500(gateway.request("GET", PAY))


@pytest.mark.parametrize("value", ["a\x01b", "a\x00b", "a\x7fb"])
def test_a_control_byte_in_a_backends_header_is_an_empty_500(
    gateway: RunningGateway, payment_service: RecordingBackend, value: str
) -> None:
    payment_service.script = answering(http_answer(headers=[f"X-Name: {value}"]))

    assert_empty_500(gateway.request("GET", PAY))


@pytest.mark.parametrize("param", ["a%0Ab", "%0A", "a%00b", "a%0D%0Ab"])
def test_a_control_byte_in_a_parameter_is_an_empty_500(
    gateway: RunningGateway, payment_service: RecordingBackend, param: str
) -> None:
    assert_empty_500(gateway.request("GET", f"/payments-api/payments/{param}"))
    assert payment_service.requests == []


def dead_when_reused(seen: Seen, connection: socket.socket) -> bool:
    """Answers the first request of each connection and closes at the second: a stale keep-alive."""
    if seen.number > 1:
        return False
    connection.sendall(http_answer(body=b"ok"))
    return True


def test_a_get_on_a_dead_kept_connection_is_repeated(
    start_gateway: Callable[..., RunningGateway], payment_service: RecordingBackend
) -> None:
    payment_service.script = dead_when_reused
    gateway = start_gateway()
    gateway.request("GET", PAY)

    answer = gateway.request("GET", PAY)

    assert (answer.status, answer.body) == (200, b"ok")
    assert [seen.number for seen in payment_service.requests] == [1, 2, 1]


@pytest.mark.parametrize(
    ("method", "path", "body", "headers"),
    [
        ("POST", "/payments-api/payments", b"{}", {}),
        ("POST", "/payments-api/payments", None, {}),
        ("POST", "/payments-api/payments", None, {"Idempotency-Key": "a"}),
    ],
)
def test_a_post_without_a_forwarded_key_is_never_repeated(
    *,
    start_gateway: Callable[..., RunningGateway],
    payment_service: RecordingBackend,
    method: str,
    path: str,
    body: bytes | None,
    headers: dict[str, str],
) -> None:
    payment_service.script = dead_when_reused
    gateway = start_gateway()
    gateway.request("GET", PAY)

    answer = gateway.request(method, path, body, headers)

    assert_empty_500(answer)
    assert [seen.number for seen in payment_service.requests] == [1, 2]


CANCEL = "/v1/payments/pay_7/cancel"
KEYED = {"Idempotency-Key": "one-cancellation"}


@pytest.mark.parametrize("headers", [KEYED, {**KEYED, "Content-Length": "0"}])
def test_a_post_without_body_whose_key_is_forwarded_reaches_the_backend_twice(
    start_gateway: Callable[..., RunningGateway],
    payment_service: RecordingBackend,
    headers: dict[str, str],
) -> None:
    """The service may have done the work before the connection died: that is what the key is for."""
    payment_service.script = dead_when_reused
    gateway = start_gateway()
    gateway.request("GET", PAY)

    answer = gateway.request("POST", CANCEL, None, headers)

    assert (answer.status, answer.body) == (200, b"ok")
    _, *arrivals = payment_service.requests
    assert [(seen.number, seen.target) for seen in arrivals] == [(2, CANCEL), (1, CANCEL)]
    assert [seen.header("Idempotency-Key") for seen in arrivals] == ["one-cancellation"] * 2


@pytest.mark.parametrize("body", [b"{}", b'{"reason": "requested"}'])
def test_a_post_with_body_is_not_repeated_in_spite_of_its_key(
    start_gateway: Callable[..., RunningGateway], payment_service: RecordingBackend, body: bytes
) -> None:
    payment_service.script = dead_when_reused
    gateway = start_gateway()
    gateway.request("GET", PAY)

    answer = gateway.request("POST", CANCEL, body, KEYED)

    assert_empty_500(answer)
    assert [seen.number for seen in payment_service.requests] == [1, 2]


def test_a_keyed_post_on_a_fresh_connection_that_dies_is_not_repeated(
    start_gateway: Callable[..., RunningGateway], payment_service: RecordingBackend
) -> None:
    payment_service.script = hang_up
    gateway = start_gateway()

    answer = gateway.request("POST", CANCEL, None, KEYED)

    assert_empty_500(answer)
    assert [seen.number for seen in payment_service.requests] == [1]


def test_put_and_delete_are_never_repeated(
    start_gateway: Callable[..., RunningGateway], store_manager: RecordingBackend
) -> None:
    store_manager.script = dead_when_reused
    gateway = start_gateway()
    gateway.request("GET", "/store-api/orders/1")

    put = gateway.request("PUT", "/store-api/orders", b"{}")
    gateway.request("GET", "/store-api/orders/1")
    delete = gateway.request("DELETE", "/store-api/orders/1")

    assert_empty_500(put)
    assert_empty_500(delete)
    assert [seen.number for seen in store_manager.requests] == [1, 2, 1, 2]


def test_a_client_that_leaves_ends_the_backends_call(
    gateway: RunningGateway, payment_service: RecordingBackend
) -> None:
    ended = threading.Event()

    def wait_for_the_end(_seen: Seen, connection: socket.socket) -> bool:
        if connection.recv(1) == b"":
            ended.set()
        return False

    payment_service.script = wait_for_the_end

    # The time-out of the route is not what ends it: the client leaves at once.
    with gateway.connect() as connection:
        connection.sendall(
            b"POST /payments-api/payments/7 HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}"
        )
        payment_service.wait_for(1)
    ended_in_time = ended.wait(60)

    assert ended_in_time
