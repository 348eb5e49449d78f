"""What a client sees of a backend's answer: all of it, whatever the status."""

import gzip
import json

import pytest

from tests.testkit.gateway.backend import RecordingBackend, answering, http_answer
from tests.testkit.gateway.process import RunningGateway, receive_until

PAY = "/payments-api/payments/7"


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (200, "OK"),
        (201, "Created"),
        (202, "Accepted"),
        (400, "Bad Request"),
        (402, "Payment Required"),
        (404, "Not Found"),
        (409, "Conflict"),
        (413, "Request Entity Too Large"),
        (415, "Unsupported Media Type"),
        (422, "Unprocessable Entity"),
        (500, "Internal Server Error"),
        (502, "Bad Gateway"),
        (503, "Service Unavailable"),
    ],
)
def test_status_body_and_type_pass_unchanged(
    gateway: RunningGateway, payment_service: RecordingBackend, status: int, reason: str
) -> None:
    body = json.dumps({"status": status, "error": "être <b>"}, ensure_ascii=False).encode()
    payment_service.script = answering(
        http_answer(f"{status} Own words", body, ["Content-Type: application/problem+json"])
    )

    answer = gateway.request("POST", PAY, b"{}", {"Content-Type": "application/json"})

    assert (answer.status, answer.reason, answer.body) == (status, reason, body)
    assert answer.header("Content-Type") == "application/problem+json"
    assert answer.header("Content-Length") == str(len(body))


def test_headers_pass_with_their_repeats(gateway: RunningGateway, payment_service: RecordingBackend) -> None:
    payment_service.script = answering(
        http_answer(
            "503 Service Unavailable",
            b"{}",
            [
                "Content-Type: application/json",
                "Retry-After: 5",
                "Location: /somewhere",
                "Set-Cookie: a=1; Path=/",
                "Set-Cookie: b=2; Path=/",
                "ETag: abc",
                "Cache-Control: no-store",
                "Content-Security-Policy: default-src 'none'",
                "Server: gunicorn",
                "Date: Thu, 01 Jan 2026 00:00:00 GMT",
            ],
        )
    )

    answer = gateway.request("POST", PAY, b"{}")

    assert answer.header("Retry-After") == "5"
    assert answer.header("Location") == "/somewhere"
    assert answer.all("Set-Cookie") == ["a=1; Path=/", "b=2; Path=/"]
    assert ("Etag", "abc") in answer.headers
    assert answer.header("Cache-Control") == "no-store"
    assert answer.header("Content-Security-Policy") == "default-src 'none'"
    assert answer.header("Server") == "gunicorn"
    assert answer.header("Date") == "Thu, 01 Jan 2026 00:00:00 GMT"


def test_a_relayed_answer_is_marked_incomplete_even_on_200(
    gateway: RunningGateway, payment_service: RecordingBackend
) -> None:
    payment_service.script = answering(http_answer(headers=["Content-Type: text/plain"]))

    answer = gateway.request("GET", PAY)

    assert answer.status == 200
    assert answer.header("X-Krakend") == "Version undefined"
    assert answer.header("X-Krakend-Completed") == "false"
    assert answer.header("X-Content-Type-Options") == "nosniff"
    assert answer.header("X-Frame-Options") == "DENY"
    assert answer.header("Referrer-Policy") == "same-origin"
    assert answer.header("Server") is None


def test_a_security_header_of_a_backend_comes_twice(
    gateway: RunningGateway, payment_service: RecordingBackend
) -> None:
    payment_service.script = answering(http_answer(headers=["X-Frame-Options: SAMEORIGIN"]))

    answer = gateway.request("GET", PAY)

    assert answer.all("X-Frame-Options") == ["DENY", "SAMEORIGIN"]


@pytest.mark.parametrize(("proto", "hsts"), [(None, None), ("http", None), ("https", "max-age=31536000")])
def test_hsts_stands_only_on_answers_that_went_over_tls(
    gateway: RunningGateway, payment_service: RecordingBackend, proto: str | None, hsts: str | None
) -> None:
    headers = {"X-Forwarded-Proto": proto} if proto else {}

    answer = gateway.request("GET", PAY, headers=headers)

    assert answer.header("Strict-Transport-Security") == hsts
    assert len(payment_service.requests) == 1


def test_a_short_body_without_length_gets_one(
    gateway: RunningGateway, payment_service: RecordingBackend
) -> None:
    payment_service.script = answering(
        b"HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    )

    answer = gateway.request("GET", PAY)

    assert answer.body == b"abcde"
    assert answer.header("Content-Length") == "5"
    assert answer.header("Transfer-Encoding") is None


def test_a_long_body_without_length_goes_in_chunks(
    gateway: RunningGateway, payment_service: RecordingBackend
) -> None:
    body = b"x" * 100_000
    payment_service.script = answering(
        b"HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nConnection: close\r\n\r\n" + body, close=True
    )

    answer = gateway.request("GET", PAY)

    assert answer.body == body
    assert answer.header("Transfer-Encoding") == "chunked"
    assert answer.header("Connection") is None


def test_a_zipped_answer_is_unzipped(gateway: RunningGateway, payment_service: RecordingBackend) -> None:
    payment_service.script = answering(
        http_answer(
            body=gzip.compress(b'{"a": 1}'),
            headers=["Content-Encoding: gzip", "Content-Type: application/json"],
        )
    )

    answer = gateway.request("GET", PAY, headers={"Accept-Encoding": "gzip, deflate, br"})

    assert answer.body == b'{"a": 1}'
    assert answer.header("Content-Encoding") is None
    assert answer.header("Content-Length") == "8"


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b'{"a": 1}', "text/plain; charset=utf-8"),
        (b"<!DOCTYPE html><p>a", "text/html; charset=utf-8"),
        (b"\x00\x01", "application/octet-stream"),
        (b"", None),
    ],
)
def test_a_missing_content_type_is_guessed(
    gateway: RunningGateway, payment_service: RecordingBackend, body: bytes, content_type: str | None
) -> None:
    payment_service.script = answering(http_answer(body=body))

    answer = gateway.request("GET", PAY)

    assert answer.header("Content-Type") == content_type
    assert answer.body == body


@pytest.mark.parametrize("status", ["204 No Content", "304 Not Modified"])
def test_answers_without_body_stay_without(
    gateway: RunningGateway, payment_service: RecordingBackend, status: str
) -> None:
    payment_service.script = answering(f"HTTP/1.1 {status}\r\n\r\n".encode())

    answer = gateway.request("GET", PAY)

    assert (answer.status, answer.body) == (int(status[:3]), b"")
    assert answer.header("Transfer-Encoding") is None
    assert answer.header("Content-Type") is None


def test_early_hints_are_dropped(gateway: RunningGateway, payment_service: RecordingBackend) -> None:
    payment_service.script = answering(
        b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + http_answer(body=b"ok")
    )

    answer = gateway.request("GET", PAY)

    assert (answer.status, answer.body) == (200, b"ok")
    assert answer.header("Link") is None


def test_one_client_connection_serves_many_requests(
    gateway: RunningGateway, payment_service: RecordingBackend
) -> None:
    request = b"GET /payments-api/payments/7 HTTP/1.1\r\nHost: a\r\n\r\n"

    with gateway.connect() as connection:
        heads = []
        for _ in range(3):
            connection.sendall(request)
            heads.append(receive_until(connection, b'{"ok": true}'))

    assert all(head.startswith(b"HTTP/1.1 200 OK\r\n") for head in heads)
    assert len(payment_service.requests) == 3


def test_an_http_1_0_answer_closes_the_clients_connection(
    gateway: RunningGateway, payment_service: RecordingBackend
) -> None:
    payment_service.script = answering(
        b"HTTP/1.0 200 OK\r\nContent-Type: a/b\r\nConnection: close\r\n\r\nold", close=True
    )

    with gateway.connect() as connection:
        connection.sendall(b"GET /payments-api/payments/7 HTTP/1.1\r\nHost: a\r\n\r\n")
        received = receive_until(connection, b"old")
        end = connection.recv(65536)

    assert b"Connection: close\r\n" in received
    assert end == b""


def test_five_megabytes_come_back_unchanged(
    gateway: RunningGateway, payment_service: RecordingBackend
) -> None:
    body = bytes(range(256)) * 20_480
    payment_service.script = answering(http_answer(body=body, headers=["Content-Type: a/b"]))

    answer = gateway.request("GET", PAY)

    assert answer.body == body
