"""What reaches a backend: listed headers, the gateway's own, and the body as it came."""

import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.testkit.gateway.backend import RecordingBackend, Seen, http_answer
from tests.testkit.gateway.process import RunningGateway

BODY = b'{"user_id": 1, "order_id": 1, "total_amount": 3999.98}'


def test_store_managers_own_request_arrives(
    gateway: RunningGateway, payment_service: RecordingBackend
) -> None:
    headers = {
        "User-Agent": "python-requests/2.34.2",
        "Accept-Encoding": "gzip, deflate, br",
        "Accept": "*/*",
        "Connection": "keep-alive",
        "Content-Type": "application/json",
        "Content-Length": "54",
    }

    gateway.request("POST", "/payments-api/payments", BODY, headers)

    seen = payment_service.only
    assert seen.body == BODY
    assert sorted(name.lower() for name, _ in seen.headers) == [
        "accept",
        "accept-encoding",
        "content-length",
        "content-type",
        "host",
        "user-agent",
        "x-forwarded-for",
        "x-forwarded-host",
        "x-forwarded-via",
    ]
    assert seen.header("Content-Type") == "application/json"
    assert seen.header("Content-Length") == "54"
    assert seen.header("User-Agent") == "python-requests/2.34.2"
    assert seen.header("X-Forwarded-Via") == "KrakenD Version 2.13.8"
    assert seen.header("Accept-Encoding") == "gzip"
    assert seen.header("Host") == payment_service.url.removeprefix("http://")
    assert seen.header("X-Forwarded-Host") == f"127.0.0.1:{gateway.settings.port}"


def test_a_bare_request_gets_the_gateways_name_and_nothing_invented(
    gateway: RunningGateway, payment_service: RecordingBackend
) -> None:
    gateway.request("GET", "/payments-api/payments/7")

    seen = payment_service.only
    assert seen.header("User-Agent") == "KrakenD Version 2.13.8"
    assert sorted(name.lower() for name, _ in seen.headers) == [
        "accept-encoding",
        "host",
        "user-agent",
        "x-forwarded-for",
        "x-forwarded-host",
    ]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("accept", "text/html"),
        ("Accept-Language", "fr-CA, fr;q=0.9"),
        ("TRACEPARENT", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
        ("tracestate", "a=b"),
    ],
)
def test_listed_headers_pass_in_any_letter_case(
    gateway: RunningGateway, payment_service: RecordingBackend, name: str, value: str
) -> None:
    gateway.request("POST", "/payments-api/payments/process/7", b"{}", {name: value})

    assert payment_service.only.header(name) == value


def test_repeated_listed_headers_pass_with_every_value(
    gateway: RunningGateway, payment_service: RecordingBackend
) -> None:
    gateway.request("GET", "/payments-api/payments/7", headers=[("Tracestate", "a=1"), ("Tracestate", "b=2")])

    assert payment_service.only.all("Tracestate") == ["a=1", "b=2"]


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("/v1/payments", ("Authorization", "Idempotency-Key")),
        ("/v1/payments/pay_7/cancel", ("Authorization", "Idempotency-Key")),
        (
            "/provider-webhooks/bank-simulator",
            ("webhook-id", "webhook-timestamp", "webhook-signature", "content-type", "content-length"),
        ),
    ],
)
def test_headers_that_a_route_reads_pass(
    gateway: RunningGateway, payment_service: RecordingBackend, path: str, names: tuple[str, ...]
) -> None:
    values = dict.fromkeys(names, "2")

    gateway.request("POST", path, b"{}", values)

    assert {name: payment_service.only.header(name) for name in names} == values


@pytest.mark.parametrize(
    "name",
    [
        "Authorization",
        "Webhook-Signature",
        "Cookie",
        "Idempotency-Key",
        "X-Idempotency-Key",
        "X-Real-IP",
        "X-Forwarded-Proto",
        "Forwarded",
        "Via",
        "X-Service-Token",
        "X-HTTP-Method-Override",
    ],
)
def test_other_headers_do_not_pass(
    gateway: RunningGateway, payment_service: RecordingBackend, name: str
) -> None:
    gateway.request("POST", "/payments-api/payments", BODY, {name: "secret"})

    assert payment_service.only.header(name) is None


def test_a_spoofed_forwarded_address_is_replaced(
    gateway: RunningGateway, payment_service: RecordingBackend
) -> None:
    gateway.request(
        "POST",
        "/payments-api/payments",
        BODY,
        [
            ("X-Forwarded-For", "203.0.113.9"),
            ("X-Forwarded-For", "198.51.100.1"),
            ("X-Forwarded-Host", "evil"),
        ],
    )

    seen = payment_service.only
    assert seen.header("X-Forwarded-For") == "127.0.0.1"
    assert seen.header("X-Forwarded-Host") == f"127.0.0.1:{gateway.settings.port}"


def test_a_chunked_body_stays_chunked(gateway: RunningGateway, payment_service: RecordingBackend) -> None:
    gateway.request(
        "POST", "/payments-api/payments", [b'{"user', b'_id": 1}'], {"Content-Type": "application/json"}
    )

    seen = payment_service.only
    assert (seen.body, seen.is_whole) == (b'{"user_id": 1}', True)
    assert seen.header("Transfer-Encoding") == "chunked"
    assert seen.header("Content-Length") is None


def test_a_megabyte_passes_unchanged(gateway: RunningGateway, payment_service: RecordingBackend) -> None:
    body = bytes(range(256)) * 4096

    gateway.request("POST", "/payments-api/payments", body, {"Content-Type": "application/octet-stream"})

    assert payment_service.only.body == body
    assert payment_service.only.header("Content-Length") == str(len(body))


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_an_empty_body_has_a_length_of_zero(
    gateway: RunningGateway, store_manager: RecordingBackend, method: str
) -> None:
    gateway.request(method, "/store-api/stocks")

    assert store_manager.only.header("Content-Length") == "0"
    assert store_manager.only.header("Transfer-Encoding") is None


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_a_request_without_body_has_no_length(
    gateway: RunningGateway, store_manager: RecordingBackend, method: str
) -> None:
    gateway.request(method, "/store-api/orders/7")

    assert store_manager.only.header("Content-Length") is None
    assert store_manager.only.header("Transfer-Encoding") is None


def test_a_body_on_get_passes(gateway: RunningGateway, payment_service: RecordingBackend) -> None:
    gateway.request("GET", "/payments-api/payments/7", b"{}", {"Content-Type": "application/json"})

    assert payment_service.only.body == b"{}"


def test_a_zipped_request_body_passes_as_it_is(
    gateway: RunningGateway, payment_service: RecordingBackend
) -> None:
    body = b"\x1f\x8b not really"

    gateway.request("POST", "/payments-api/payments", body, {"Content-Encoding": "gzip"})

    assert payment_service.only.body == body


def test_connections_to_a_backend_are_kept(
    gateway: RunningGateway, payment_service: RecordingBackend
) -> None:
    for _ in range(3):
        gateway.request("POST", "/payments-api/payments", BODY)

    assert payment_service.wait_for(3)[-1].number >= 2


def test_the_connection_that_was_used_last_is_taken_first(
    start_gateway: Callable[..., RunningGateway], payment_service: RecordingBackend
) -> None:
    both_arrived = threading.Barrier(2)
    connections: dict[str, socket.socket] = {}
    first_is_over = threading.Event()

    def script(seen: Seen, connection: socket.socket) -> bool:
        if seen.target in ("/payments/1", "/payments/2"):
            both_arrived.wait(100)
            if seen.target == "/payments/2":
                first_is_over.wait(100)
        connections[seen.target] = connection
        connection.sendall(http_answer(body=b"ok"))
        return True

    payment_service.script = script
    gateway = start_gateway()
    with ThreadPoolExecutor(2) as clients:
        first, second = (
            clients.submit(gateway.request, "GET", f"/payments-api/payments/{n}") for n in (1, 2)
        )
        first.result()
        first_is_over.set()
        second.result()
    for number in (3, 4):
        gateway.request("GET", f"/payments-api/payments/{number}")

    assert connections["/payments/3"] is connections["/payments/4"] is connections["/payments/2"]
    assert connections["/payments/1"] is not connections["/payments/2"]
