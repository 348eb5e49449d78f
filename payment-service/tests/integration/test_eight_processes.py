"""Eight separate processes pay the same payment at once, on every engine: one charge, all others told."""

import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from payment_service.values.statuses import PaymentStatus

from tests.testkit.payments.parallel_processes import pay, racers
from tests.testkit.payments.world import World

PROCESSES = 8
ROUNDS = 5


class Outside(BaseHTTPRequestHandler):
    """The bank and fraud-service: say yes, slowly enough that everybody meets; count the bank's sales."""

    protocol_version = "HTTP/1.1"
    sales: Counter[str]

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path == "/internal/assessments":
            self._answer({"decision": "approve", "reasons": []})
            return
        self.sales[body["order_id"]] += 1
        time.sleep(0.1)
        self._answer({"status": "approved", "authorization_code": "A1"})

    def _answer(self, document: object) -> None:
        body = json.dumps(document).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  its name in the base class
        """Say nothing."""


@pytest.fixture
def outside() -> Iterator[ThreadingHTTPServer]:
    Outside.sales = Counter()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Outside)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_eight_processes_charge_one_payment_once(world: World, outside: ThreadingHTTPServer) -> None:
    address = f"http://127.0.0.1:{outside.server_port}"
    payment_ids = [world.create(order_id=100 + number) for number in range(ROUNDS)]
    config = replace(world.config, bank_url=address, fraud_service_url=address)

    answers = []
    with racers(PROCESSES, pay, config) as processes:
        for payment_id in payment_ids:
            for process in processes:
                process.send(payment_id)
            answers.append([process.answer() for process in processes])

    for number, statuses in enumerate(answers):
        assert set(statuses) <= {200, 409}, answers
        assert 200 in statuses
        assert Outside.sales[str(100 + number)] == 1
    for payment_id in payment_ids:
        assert world.payment(payment_id).status == PaymentStatus.COMPLETED
        assert world.attempt(payment_id).state == "approved"
        assert world.events(payment_id) == ["payment.created", "payment.processing", "payment.completed"]
    assert len(world.messages()) == 2 * ROUNDS
