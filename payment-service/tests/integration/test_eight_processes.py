"""Eight separate processes pay the same payment at once, on every engine: one charge, one answer."""

import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from payment_service.config import Config
from payment_service.values.statuses import PaymentStatus

from tests.testkit.payments.cards import CARD
from tests.testkit.payments.parallel_processes import pay, racers
from tests.testkit.payments.world import World

PROCESSES = 8
ROUNDS = 5
PATIENCE_S = 60.0
CARDS = (
    *("4242424242424242", "5555555555554444", "4000056655665556", "5200828282828210"),
    *("378282246310005", "6011111111111117", "3056930009020004", "3566002020360505"),
)


class Outside(BaseHTTPRequestHandler):
    """The bank and fraud-service: say yes, slowly enough that everybody meets; count the bank's sales."""

    protocol_version = "HTTP/1.1"
    sales: Counter[str]
    declines: Counter[str]

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path == "/internal/assessments":
            self._answer({"decision": "approve", "reasons": []})
            return
        self.sales[body["order_id"]] += 1
        time.sleep(0.1)
        if self.sales[body["order_id"]] <= self.declines[body["order_id"]]:
            self._answer({"status": "declined", "decline_code": "do_not_honor"})
        else:
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
    Outside.sales, Outside.declines = Counter(), Counter()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Outside)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def patient(world: World, outside: ThreadingHTTPServer) -> Config:
    address = f"http://127.0.0.1:{outside.server_port}"
    limits = replace(world.config.limits, repeat_wait_s=PATIENCE_S)
    return replace(world.config, bank_url=address, fraud_service_url=address, limits=limits)


def test_eight_processes_charge_one_payment_once_and_all_say_so(
    world: World, outside: ThreadingHTTPServer
) -> None:
    payment_ids = [world.create(order_id=100 + number) for number in range(ROUNDS)]

    answers = []
    with racers(PROCESSES, pay, patient(world, outside)) as processes:
        for payment_id in payment_ids:
            for process in processes:
                process.send((payment_id, CARD))
            answers.append([process.answer() for process in processes])

    for number, statuses in enumerate(answers):
        assert statuses == [200] * PROCESSES, answers
        assert Outside.sales[str(100 + number)] == 1
    for payment_id in payment_ids:
        assert world.payment(payment_id).status == PaymentStatus.COMPLETED
        assert world.attempt(payment_id).state == "approved"
        assert world.events(payment_id) == ["payment.created", "payment.processing", "payment.completed"]
    assert [message.queue for message in world.messages()] == ["store_manager"] * ROUNDS


def test_eight_processes_try_their_cards_one_after_another(
    world: World, outside: ThreadingHTTPServer
) -> None:
    payment_id = world.create(order_id=100)
    Outside.declines["100"] = 2

    with racers(PROCESSES, pay, patient(world, outside)) as processes:
        for process, number in zip(processes, CARDS, strict=True):
            process.send((payment_id, {**CARD, "cardNumber": number}))
        answers = Counter(process.answer() for process in processes)

    assert answers == {402: 2, 200: PROCESSES - 2}
    assert Outside.sales["100"] == 3
    assert [attempt.state for attempt in world.attempts(payment_id)] == ["declined", "declined", "approved"]
