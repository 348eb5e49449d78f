"""A hundred refunds of one payment at once, from threads and processes: never more than was captured."""

import json
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from payment_service.models.movement import Refund
from payment_service.values.statuses import MovementState

from tests.testkit.payments.merchant import TestMerchant
from tests.testkit.payments.parallel_processes import Refunds, racers, refund
from tests.testkit.payments.world import World

PROCESSES, EACH = 4, 25
CAPTURED, PART = 10_000, 700  # 14 parts fit, and a rest of 200


class Bank(BaseHTTPRequestHandler):
    """Refunds whatever it is asked to, and counts it."""

    protocol_version = "HTTP/1.1"
    refunded: Counter[str]

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.refunded[request["request_id"]] += request["amount_minor"]
        document: dict[str, Any] = {"status": "approved", "authorization_code": "A1"}
        body = json.dumps(document).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  its name in the base class
        """Say nothing."""


@pytest.fixture
def bank() -> Iterator[ThreadingHTTPServer]:
    Bank.refunded = Counter()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Bank)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def assert_never_too_much(seller: TestMerchant, payment_id: str, statuses: list[int]) -> None:
    parts = CAPTURED // PART
    refunds = seller.world.all(Refund)
    assert Counter(statuses) == {201: parts, 422: PROCESSES * EACH - parts}
    assert [refund.state for refund in refunds] == [MovementState.APPROVED] * parts
    assert seller.sums(payment_id) == (CAPTURED, 0, parts * PART, 0)
    assert sum(entry.amount_minor for entry in seller.entries(payment_id)) == 0


def test_a_hundred_threads_refund_no_more_than_was_captured(world: World) -> None:
    seller = TestMerchant.of(world)
    payment_id = seller.taken(CAPTURED)

    with ThreadPoolExecutor(25) as threads:
        answers = list(threads.map(lambda _: seller.refund(payment_id, amount=PART), range(PROCESSES * EACH)))

    assert_never_too_much(seller, payment_id, [answer.status_code for answer in answers])
    assert world.bank.total_minor == CAPTURED % PART


def test_four_processes_refund_no_more_than_was_captured(world: World, bank: ThreadingHTTPServer) -> None:
    seller = TestMerchant.of(world)
    payment_id = seller.taken(CAPTURED)
    config = replace(world.config, bank_url=f"http://127.0.0.1:{bank.server_port}")
    body = {"payment": payment_id, "amount": PART}

    with racers(PROCESSES, refund, config) as processes:
        for number, process in enumerate(processes):
            process.send(Refunds(f"refunder-{number}", EACH, body, seller.shop.bearer))
        statuses = [status for process in processes for status in process.answer()]

    assert_never_too_much(seller, payment_id, statuses)
    assert sum(Bank.refunded.values()) == CAPTURED // PART * PART
    assert len(Bank.refunded) == CAPTURED // PART
