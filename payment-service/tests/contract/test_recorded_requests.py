"""Requests of the real clients, byte for byte, on a real gunicorn: shop, collections, a course gateway."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any

import pytest

from tests.testkit.payments.config import PATIENT_ENVIRONMENT, PATIENT_S, make_config
from tests.testkit.payments.world import world_on

pytestmark = pytest.mark.engines("sqlite")

GUNICORN_CONFIG = Path(__file__).parents[2] / "gunicorn.conf.py"


@pytest.fixture(scope="module")
def address(migrated_url: str) -> Iterator[tuple[str, int]]:
    """A service of its own process; nobody behind it answers."""
    with world_on(make_config(migrated_url)):
        pass  # seeded
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    environment = {
        **os.environ,
        **PATIENT_ENVIRONMENT,
        "DATABASE_URL": migrated_url,
        "BIND": f"127.0.0.1:{port}",
        "BANK_URL": "http://127.0.0.1:1",
        "FRAUD_SERVICE_URL": "http://127.0.0.1:1",
        "WORKER_WAKE_ADDRESS": "127.0.0.1:9",
        "WEB_THREADS": "4",
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "-c", str(GUNICORN_CONFIG)],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_until_it_answers(process, port)
        yield "127.0.0.1", port
    finally:
        process.terminate()
        process.wait(PATIENT_S)


def _wait_until_it_answers(process: subprocess.Popen[bytes], port: int) -> None:
    give_up_at = time.monotonic() + PATIENT_S
    while time.monotonic() < give_up_at:
        assert process.poll() is None
        try:
            socket.create_connection(("127.0.0.1", port), timeout=10).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("gunicorn did not start")


def exchange(address: tuple[str, int], request: bytes) -> tuple[int, Mapping[str, str], Any]:
    """Send exact bytes and read one answer."""
    connection = HTTPConnection(*address, timeout=PATIENT_S)
    connection.connect()
    assert connection.sock is not None
    connection.sock.sendall(request)
    with connection.sock, HTTPResponse(connection.sock) as response:
        response.begin()
        body = response.read()
        headers = {name.lower(): value for name, value in response.getheaders()}
    return response.status, headers, json.loads(body) if "json" in headers.get("content-type", "") else body


def http(*lines: str, body: bytes = b"") -> bytes:
    return "\r\n".join([*lines, "", ""]).encode() + body


def chunked(body: bytes, pieces: int = 3) -> bytes:
    size = max(1, len(body) // pieces)
    parts = [body[start : start + size] for start in range(0, len(body), size)]
    return b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


STORE_MANAGER: Sequence[str] = (
    "Host: api-gateway:8080",
    "User-Agent: python-requests/2.34.2",
    "Accept-Encoding: gzip, deflate, br",
    "Accept: */*",
    "Connection: keep-alive",
)
COURSE_GATEWAY: Sequence[str] = (
    "Host: payments_api:5009",
    "User-Agent: KrakenD Version 2.4.3",
    "Transfer-Encoding: chunked",
    "X-Forwarded-For: 172.18.0.1",
    "X-Forwarded-Host: api-gateway:8080",
    "Content-Type: application/json",
)


def test_store_managers_request_creates_a_payment(address: tuple[str, int]) -> None:
    body = b'{"user_id": 1, "order_id": 1, "total_amount": 3999.98}'
    request = http(
        "POST /payments HTTP/1.1",
        *STORE_MANAGER,
        "Content-Type: application/json",
        "Content-Length: 54",
        body=body,
    )

    status, _, created = exchange(address, request)

    assert len(body) == 54
    assert status == 201
    assert created["payment_id"] >= 3
    shown = exchange(address, http(f"GET /payments/{created['payment_id']} HTTP/1.1", *STORE_MANAGER))
    assert (shown[0], shown[2]["total_amount"], shown[2]["is_paid"]) == (200, 3999.98, False)


def test_a_course_gateway_sends_chunks_and_only_the_content_type(address: tuple[str, int]) -> None:
    body = b'{"order_id": 3, "user_id": 1, "total_amount": "249.5"}'

    status, _, created = exchange(
        address, http("POST /payments HTTP/1.1", *COURSE_GATEWAY, body=chunked(body))
    )

    assert (status, type(created["payment_id"])) == (201, int)


def test_a_card_comes_in_chunks_too(address: tuple[str, int]) -> None:
    card = b'{"cardNumber": 9999999999999, "cardCode": 123, "expirationDate": "2030-01-05"}'

    status, headers, problem = exchange(
        address, http("POST /payments/process/2 HTTP/1.1", *COURSE_GATEWAY, body=chunked(card))
    )

    # Fraud-service is away, and 59.50 may pass all the same; the bank's port refuses the connection.
    assert (status, problem["code"], problem["is_paid"]) == (502, "charge_not_sent", False)
    assert headers["content-type"] == "application/problem+json"


def test_an_oversized_body_in_chunks_is_413(address: tuple[str, int]) -> None:
    body = b'{"order_id": 3, "user_id": 1, "other": "' + b"x" * 70_000 + b'"}'

    status, _, problem = exchange(
        address, http("POST /payments HTTP/1.1", *COURSE_GATEWAY, body=chunked(body))
    )

    assert (status, problem["status"]) == (413, 413)


def test_an_oversized_form_in_chunks_is_413(address: tuple[str, int]) -> None:
    headers = [line for line in COURSE_GATEWAY if "json" not in line]
    request = http(
        "POST /payments/process/1 HTTP/1.1",
        *headers,
        "Content-Type: application/x-www-form-urlencoded",
        body=chunked(b"email=" + b"x" * 70_000),
    )

    status, answer_headers, _ = exchange(address, request)

    assert (status, answer_headers["content-type"]) == (413, "text/html; charset=utf-8")


def test_a_form_in_chunks_is_read(address: tuple[str, int]) -> None:
    headers = [line for line in COURSE_GATEWAY if "json" not in line]
    request = http(
        "POST /payments/process/1 HTTP/1.1",
        *headers,
        "Content-Type: application/x-www-form-urlencoded",
        body=chunked(b"form_key=k&email=payer%40example.org&cardNumber=1"),
    )

    status, _, page = exchange(address, request)

    assert status == 400
    assert b"payer@example.org" in page


@pytest.mark.parametrize("path", ["/", "//"])
def test_the_collections_get_with_a_body(address: tuple[str, int], path: str) -> None:
    body = b'{"user_id": 1, "order_id": 1, "total_amount": 1}'
    headers = ("Host: localhost:5009", "User-Agent: PostmanRuntime/7.43.0", "Content-Type: application/json")

    for framing, sent in (
        (f"Content-Length: {len(body)}", body),
        ("Transfer-Encoding: chunked", chunked(body)),
    ):
        answer = exchange(address, http(f"GET {path} HTTP/1.1", *headers, framing, body=sent))
        assert (answer[0], answer[2]["service"]) == (200, "PaymentMicroservice")


def test_a_connection_is_kept_after_a_body_that_nobody_read(address: tuple[str, int]) -> None:
    connection = HTTPConnection(*address, timeout=PATIENT_S)
    statuses = []
    for method, path, body in (
        ("GET", "/", b'{"user_id": 1}'),
        ("POST", "/nothing", b'{"a": 1}' * 100),
        ("POST", "/payments", b'{"user_id": 1, "order_id": 1, "total_amount": 10}'),
    ):
        connection.request(method, path, body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        response.read()
        statuses.append(response.status)
    connection.close()

    assert statuses == [200, 404, 201]


@pytest.mark.parametrize("payment_id", [25, 30, 36, 0, "None"])
def test_the_collections_payments_that_are_not_there(address: tuple[str, int], payment_id: object) -> None:
    for path in (f"/payments-api/payments/{payment_id}", f"/payments/process/{payment_id}"):
        body = b'{"cardNumber": 9999999999999, "cardCode": 123, "expirationDate": "2030-01-05"}'
        request = http(
            f"POST {path} HTTP/1.1",
            "Host: localhost:5009",
            "Content-Type: application/json",
            f"Content-Length: {len(body)}",
            body=body,
        )
        status, _, problem = exchange(address, request)
        assert (status, bool(problem["error"])) == (404, True)
