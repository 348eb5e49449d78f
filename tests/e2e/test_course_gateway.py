"""Behind the course's own KrakenD, whose JSON encoding we cannot run here: a stand-in with what was observed.

Requests come chunked, with Content-Type as the only header of the client's; 200 and 201 become 200 with the
JSON written anew, everything else an empty 500 (facts of lab 5's gateway).
"""

import http.client
import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from tests.e2e.conftest import PATIENCE_S, RunningSystem
from tests.faults.books import bank_sales

CARD = {"cardNumber": 9999999999999, "cardCode": 123, "expirationDate": "2030-01-05"}
PREFIX = "/payments-api/payments"


def backend_path(path: str) -> str | None:
    """Return the route of the course's file: create, and process by id; nothing else exists there."""
    if path == PREFIX:
        return "/payments"
    tail = path.removeprefix(f"{PREFIX}/")
    return f"/payments/process/{tail}" if tail != path and "/" not in tail else None


def course_gateway(payment_url: str) -> ThreadingHTTPServer:
    """Return the stand-in, not yet serving."""
    address = urlsplit(payment_url)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            path = backend_path(self.path)
            if path is None:
                self.send_error(404)
                return
            connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=PATIENCE_S)
            headers = {
                "Content-Type": self.headers.get("Content-Type", ""),
                "User-Agent": "KrakenD Version 2.4.6",
                "X-Forwarded-For": "127.0.0.1",
                "X-Forwarded-Host": "api-gateway:8080",
                "Transfer-Encoding": "chunked",
            }
            connection.request("POST", path, iter([body]), headers, encode_chunked=True)
            answer = connection.getresponse()
            self.relay(answer.status, answer.read())
            connection.close()

        def relay(self, status: int, body: bytes) -> None:
            document: Any = json.loads(body) if status in {200, 201} else None
            encoded = json.dumps(document, sort_keys=True).encode() if isinstance(document, dict) else b""
            self.send_response(200 if encoded else 500)
            self.send_header("Content-Length", str(len(encoded)))
            self.send_header("Cache-Control", "public, max-age=300")
            self.end_headers()
            self.wfile.write(encoded)

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        request_queue_size = 128  # everybody who clicks at once

    return Server(("127.0.0.1", 0), Handler)


@pytest.fixture(scope="module")
def course_url(running_system: RunningSystem) -> Iterator[str]:
    server = course_gateway(running_system.payment_url)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_payment_is_made_through_the_courses_own_gateway(course_url: str) -> None:
    order = {"user_id": 1, "order_id": 1, "total_amount": 21999.890000000003}

    created = requests.post(f"{course_url}{PREFIX}", json=order, timeout=PATIENCE_S)
    payment_id = created.json()["payment_id"]
    paid = requests.post(f"{course_url}{PREFIX}/{payment_id}", json=CARD, timeout=PATIENCE_S)
    repeated = requests.post(f"{course_url}{PREFIX}/{payment_id}", json=CARD, timeout=PATIENCE_S)

    assert (created.status_code, paid.status_code, repeated.status_code) == (200, 200, 200)
    assert isinstance(payment_id, int)
    assert paid.json()["is_paid"] is True
    assert repeated.json() == paid.json()


def test_a_refusal_becomes_an_empty_500_and_leaves_the_payment_payable(course_url: str) -> None:
    order = {"user_id": 1, "order_id": 1, "total_amount": 5.0}
    payment_id = requests.post(f"{course_url}{PREFIX}", json=order, timeout=PATIENCE_S).json()["payment_id"]
    refused_card = {**CARD, "cardNumber": "4000100000000034"}

    malformed = requests.post(f"{course_url}{PREFIX}", json={"user_id": 1}, timeout=PATIENCE_S)
    declined = requests.post(f"{course_url}{PREFIX}/{payment_id}", json=refused_card, timeout=PATIENCE_S)
    paid = requests.post(f"{course_url}{PREFIX}/{payment_id}", json=CARD, timeout=PATIENCE_S)

    assert (malformed.status_code, malformed.content) == (500, b"")
    assert (declined.status_code, declined.content) == (500, b"")
    assert paid.status_code == 200


def test_twenty_clicks_at_once_get_one_answer_and_are_charged_once(
    course_url: str, running_system: RunningSystem
) -> None:
    order = {"user_id": 1, "order_id": 1, "total_amount": 7.0}
    payment_id = requests.post(f"{course_url}{PREFIX}", json=order, timeout=PATIENCE_S).json()["payment_id"]
    charged_before = len(bank_sales(running_system.whole))

    answers = click_at_once(f"{course_url}{PREFIX}/{payment_id}", [CARD] * 20)

    assert [answer.status_code for answer in answers] == [200] * 20
    assert {answer.content for answer in answers} == {answers[0].content}
    assert answers[0].json()["is_paid"] is True
    assert len(bank_sales(running_system.whole)) - charged_before == 1


def test_twenty_cards_at_once_are_tried_one_after_another_until_one_pays(
    running_system: RunningSystem,
) -> None:
    order = {"user_id": 1, "order_id": 1, "total_amount": 7.0}
    url = f"{running_system.gateway_url}{PREFIX}"
    payment_id = requests.post(url, json=order, timeout=PATIENCE_S).json()["payment_id"]
    charged_before = len(bank_sales(running_system.whole))
    declined_card = {**CARD, "cardNumber": "4000100000000034"}
    paying = ["4000100000000018", "5100100000000014", CARD["cardNumber"]]

    with ThreadPoolExecutor(1) as first:
        declined = first.submit(requests.post, f"{url}/{payment_id}", json=declined_card, timeout=PATIENCE_S)
        answers = click_at_once(
            f"{url}/{payment_id}", [{**CARD, "cardNumber": paying[number % 3]} for number in range(19)]
        )

    # Whoever brought the card that is declined may have come when another one had paid.
    assert declined.result().status_code in {402, 200}
    assert [answer.status_code for answer in answers] == [200] * 19
    assert len(bank_sales(running_system.whole)) - charged_before == 1


def click_at_once(url: str, cards: list[dict[str, Any]]) -> list[requests.Response]:
    start = threading.Barrier(len(cards))

    def click(card: dict[str, Any]) -> requests.Response:
        start.wait(timeout=PATIENCE_S)
        return requests.post(url, json=card, timeout=PATIENCE_S)

    with ThreadPoolExecutor(len(cards)) as payers:
        return list(payers.map(click, cards))
