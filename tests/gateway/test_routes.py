"""Every path that Caisse's clients use, and what the gateway says to all others."""

import json

import pytest

from tests.testkit.gateway.backend import RecordingBackend
from tests.testkit.gateway.process import RunningGateway, receive_until

PAYMENT_ROUTES = [
    ("POST", "/payments-api/payments", "/payments"),
    ("GET", "/payments-api/payments/7", "/payments/7"),
    ("POST", "/payments-api/payments/7", "/payments/process/7"),
    ("GET", "/payments-api/payments/process/7", "/payments/process/7"),
    ("POST", "/payments-api/payments/process/7", "/payments/process/7"),
    ("GET", "/payments-api/payments/process/0", "/payments/process/0"),
    ("GET", "/payments-api/payments/process/None", "/payments/process/None"),
    ("POST", "/oauth2/token", "/oauth2/token"),
    ("GET", "/.well-known/jwks.json", "/.well-known/jwks.json"),
    *(
        (method, path, path)
        for method, path in (
            ("GET", "/v1/merchant"),
            ("POST", "/v1/payments"),
            ("GET", "/v1/payments"),
            ("GET", "/v1/payments/pay_7"),
            ("GET", "/v1/payments/pay_7/events"),
            ("POST", "/v1/payments/pay_7/confirm"),
            ("POST", "/v1/payments/pay_7/capture"),
            ("POST", "/v1/payments/pay_7/cancel"),
            ("POST", "/v1/payments/pay_7/approve"),
            ("POST", "/v1/payments/pay_7/reject"),
            ("POST", "/v1/refunds"),
            ("GET", "/v1/refunds"),
            ("GET", "/v1/refunds/re_7"),
            ("POST", "/v1/payment-methods"),
            ("GET", "/v1/payment-methods"),
            ("GET", "/v1/payment-methods/pm_7"),
            ("POST", "/v1/payment-methods/pm_7/detach"),
            ("GET", "/v1/disputes"),
            ("GET", "/v1/disputes/dp_7"),
            ("GET", "/v1/balance"),
            ("GET", "/v1/balance/entries"),
            ("GET", "/v1/events"),
            ("GET", "/checkout/a-token"),
            ("POST", "/checkout/a-token"),
            ("GET", "/checkout/3ds/a-token"),
            ("POST", "/checkout/3ds/a-token"),
            ("POST", "/provider-webhooks/bank-simulator"),
        )
    ),
]
STORE_ROUTES = [
    ("POST", "/orders"),
    ("PUT", "/orders"),
    ("GET", "/orders/7"),
    ("DELETE", "/orders/7"),
    ("PUT", "/stocks"),
    ("POST", "/stocks"),
    ("POST", "/users"),
    ("GET", "/users/7"),
    ("DELETE", "/users/7"),
    ("GET", "/test/slow/3"),
]
PREFIXES = ["/store-manager-api", "/store-api"]


@pytest.mark.parametrize(("method", "path", "backend_path"), PAYMENT_ROUTES)
def test_payment_routes_reach_payment_service(
    gateway: RunningGateway, payment_service: RecordingBackend, method: str, path: str, backend_path: str
) -> None:
    answer = gateway.request(method, path)

    assert (answer.status, answer.body) == (200, b'{"ok": true}')
    assert (payment_service.only.method, payment_service.only.target) == (method, backend_path)


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize(("method", "path"), STORE_ROUTES)
def test_store_routes_reach_store_manager_under_both_prefixes(
    gateway: RunningGateway, store_manager: RecordingBackend, prefix: str, method: str, path: str
) -> None:
    answer = gateway.request(method, prefix + path)

    assert (answer.status, answer.body) == (200, b'{"ok": true}')
    assert (store_manager.only.method, store_manager.only.target) == (method, path)


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "//",
        "/payments",
        "/payments-api",
        "/payments-api/payments/",
        "/payments-api/payments/7/",
        "/payments-api//payments",
        "/Payments-Api/payments",
        "/payments-api/payments/process/7/more",
        "/payments-api/payments/a%2Fb",
        "/internal/assessments",
        "/v1",
        "/v1/payments/",
        "/v1/payments/pay_7/refund",
        "/checkout",
        "/checkout/",
        "/checkout/3ds/a/b",
        "/provider-webhooks/another",
        "/oauth2",
        "/payments-api/internal/assessments",
        "/store-api/products",
        "/__debug/",
        "/__echo/",
    ],
)
def test_other_paths_are_answered_404_and_never_redirected(
    gateway: RunningGateway, payment_service: RecordingBackend, store_manager: RecordingBackend, path: str
) -> None:
    answer = gateway.request("GET", path)

    problem = json.loads(answer.body)
    assert answer.status == 404
    assert answer.header("Content-Type") == "application/json; charset=utf-8"
    assert (problem["status"], problem["title"]) == (404, "Not Found")
    assert problem["error"] == problem["detail"]
    assert payment_service.requests == store_manager.requests == []


def test_get_of_two_slashes_with_a_body_is_404_through_the_gateway(gateway: RunningGateway) -> None:
    answer = gateway.request("GET", "//", b'{"cardNumber": 1}', {"Content-Type": "application/json"})

    assert answer.status == 404


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/payments-api/payments", "POST"),
        ("PUT", "/payments-api/payments", "POST"),
        ("DELETE", "/payments-api/payments/7", "GET, POST"),
        ("HEAD", "/payments-api/payments/7", "GET, POST"),
        ("OPTIONS", "/payments-api/payments/process/7", "GET, POST"),
        ("GET", "/oauth2/token", "POST"),
        ("POST", "/v1/merchant", "GET"),
        ("PUT", "/v1/payments", "GET, POST"),
        ("GET", "/v1/payments/pay_7/capture", "POST"),
        ("DELETE", "/checkout/a-token", "GET, POST"),
        ("GET", "/provider-webhooks/bank-simulator", "POST"),
        ("GET", "/store-api/orders", "POST, PUT"),
        ("PUT", "/store-manager-api/orders/7", "GET, DELETE"),
        ("PATCH", "/store-api/users/7", "GET, DELETE"),
        ("HEAD", "/__health", "GET"),
    ],
)
def test_other_methods_are_answered_405_with_the_allowed_ones(
    *,
    gateway: RunningGateway,
    payment_service: RecordingBackend,
    store_manager: RecordingBackend,
    method: str,
    path: str,
    allowed: str,
) -> None:
    answer = gateway.request(method, path)

    assert answer.status == 405
    assert answer.header("Allow") == allowed
    if method == "HEAD":
        assert answer.body == b""
    else:
        assert json.loads(answer.body)["error"] == "This path has no such method."
    assert payment_service.requests == store_manager.requests == []


@pytest.mark.parametrize("path", ["/nowhere", "/payments-api/payments/7"])
def test_no_body_follows_the_head_that_alone_was_asked_for(gateway: RunningGateway, path: str) -> None:
    with gateway.connect() as connection:
        connection.sendall(f"HEAD {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        refused = receive_until(connection, b"\r\n\r\n")
        connection.sendall(b"GET /__health HTTP/1.1\r\nHost: a\r\n\r\n")
        health = receive_until(connection, b"}")

    assert refused.startswith(b"HTTP/1.1 40")
    assert health.startswith(b"HTTP/1.1 200 OK\r\n")


def test_an_empty_segment_inside_a_path_is_a_parameter(
    gateway: RunningGateway, payment_service: RecordingBackend
) -> None:
    shown = gateway.request("GET", "/v1/payments//events")
    refused = gateway.request("PUT", "/v1/payments//events")

    assert (shown.status, payment_service.only.target) == (200, "/v1/payments//events")
    assert (refused.status, refused.header("Allow")) == (405, "GET")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/payments/%2520/nothing"),
        ("GET", "/v1/payments/a%25zz/capture"),
        ("POST", "/payments-api/payments/a%3Fb/more"),
    ],
)
def test_a_bad_parameter_is_400_even_where_the_path_leads_nowhere(
    gateway: RunningGateway, payment_service: RecordingBackend, method: str, path: str
) -> None:
    answer = gateway.request(method, path)

    assert answer.status == 400
    assert answer.body.startswith(b"error: ")
    assert answer.header("X-Krakend") is None
    assert payment_service.requests == []


@pytest.mark.parametrize("path", ["/%0A", "/a%0Ab", "/payments-api%0A/payments/7"])
def test_a_line_break_in_a_path_that_is_not_there_is_the_gateways_own_404(
    gateway: RunningGateway, path: str
) -> None:
    answer = gateway.request("GET", path)

    assert (answer.status, answer.header("X-Krakend")) == (404, "Version undefined")
    assert answer.header("Server") is None


def test_marks_and_security_headers_stand_on_the_gateways_own_404(gateway: RunningGateway) -> None:
    answer = gateway.request("GET", "/nowhere")

    assert answer.header("X-Krakend") == "Version undefined"
    assert answer.header("X-Krakend-Completed") == "false"
    assert answer.header("X-Content-Type-Options") == "nosniff"
    assert answer.header("X-Frame-Options") == "DENY"
    assert answer.header("Referrer-Policy") == "same-origin"


def test_health_asks_no_backend_and_has_no_marks(
    gateway: RunningGateway, payment_service: RecordingBackend, store_manager: RecordingBackend
) -> None:
    answer = gateway.request("GET", "/__health")

    health = json.loads(answer.body)
    assert (answer.status, health["status"], health["agents"]) == (200, "ok", {})
    assert isinstance(health["now"], str)
    assert answer.header("X-Krakend") is None
    assert answer.header("X-Content-Type-Options") is None
    assert payment_service.requests == store_manager.requests == []


@pytest.mark.parametrize("param", ["%2520", "a%25b", "a%3Fb", "a%23b", "%25"])
def test_parameters_that_stay_encoded_are_refused_with_400(
    gateway: RunningGateway, payment_service: RecordingBackend, param: str
) -> None:
    answer = gateway.request("GET", f"/payments-api/payments/{param}")

    assert answer.status == 400
    assert answer.body.startswith(b"error: ")
    assert answer.header("X-Krakend") is None
    assert payment_service.requests == []


@pytest.mark.parametrize(
    ("param", "backend_param"),
    [
        ("a%20b", "a%20b"),
        ("..", ".."),
        ("%C3%A9", "%C3%A9"),
        ("a+b", "a+b"),
        ("a;b=c,d", "a;b=c,d"),
        ("%41", "A"),
    ],
)
def test_parameters_are_decoded_once_and_encoded_again(
    gateway: RunningGateway, payment_service: RecordingBackend, param: str, backend_param: str
) -> None:
    gateway.request("GET", f"/payments-api/payments/{param}")

    assert payment_service.only.target == f"/payments/{backend_param}"


def test_on_v1_every_parameter_passes_in_the_order_of_their_names(
    gateway: RunningGateway, payment_service: RecordingBackend
) -> None:
    query = "status=completed&limit=5&card=4242&order_id=A%26B+1&status=failed&LIMIT=9"

    answer = gateway.request("GET", f"/v1/payments?{query}")

    assert answer.status == 200
    assert (
        payment_service.only.target
        == "/v1/payments?LIMIT=9&card=4242&limit=5&order_id=A%26B+1&status=completed&status=failed"
    )


@pytest.mark.parametrize("query", ["limit=%zz", "limit=1;status=2", "&&"])
def test_parameters_that_go_cannot_read_are_dropped(
    gateway: RunningGateway, payment_service: RecordingBackend, query: str
) -> None:
    gateway.request("GET", f"/v1/payments?{query}")

    assert payment_service.only.target == "/v1/payments"


def test_a_query_does_not_pass(gateway: RunningGateway, payment_service: RecordingBackend) -> None:
    answer = gateway.request("GET", "/payments-api/payments/7?a=1&b=2")

    assert answer.status == 200
    assert payment_service.only.target == "/payments/7"
