"""Eight separate processes pay the same payment at once, on every engine: one charge, all others told."""

import json
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from payment_service.testing.world import World
from payment_service.values.statuses import PaymentStatus

PROCESSES = 8
ROUNDS = 5
SCRIPT = Path(__file__).with_name("one_of_eight.py")


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


@contextmanager
def processes(environment: dict[str, str]) -> Iterator[list[subprocess.Popen[str]]]:
    started = [
        subprocess.Popen(
            [sys.executable, str(SCRIPT)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **environment},
        )
        for _ in range(PROCESSES)
    ]
    try:
        yield started
    finally:
        for process in started:
            process.kill()
            process.communicate()


def said(process: subprocess.Popen[str], word: str) -> str:
    """The rest of the next line that begins with ``word``; log lines come between."""
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith(word):
            return line.removeprefix(word).strip()
    raise AssertionError(f"the process ended with {process.wait()}")


def send(process: subprocess.Popen[str], line: str) -> None:
    assert process.stdin is not None
    process.stdin.write(line + "\n")
    process.stdin.flush()


def test_eight_processes_charge_one_payment_once(world: World, outside: ThreadingHTTPServer) -> None:
    address = f"http://127.0.0.1:{outside.server_port}"
    payment_ids = [world.create(order_id=100 + number) for number in range(ROUNDS)]
    environment = {
        "DATABASE_URL": world.config.database_url,
        "BANK_URL": address,
        "FRAUD_SERVICE_URL": address,
        "LIMIT_FRAUD_S": "3",  # eight processes on a busy machine; fraud's time is not what is tested
        "WORKER_WAKE_ADDRESS": "127.0.0.1:9",
    }

    with processes(environment) as racers:
        for racer in racers:
            said(racer, "ready")
        answers = []
        for payment_id in payment_ids:
            for racer in racers:
                send(racer, str(payment_id))
            answers.append([said(racer, "answer ") for racer in racers])

    for number, statuses in enumerate(answers):
        assert set(statuses) <= {"200", "409"}, answers
        assert "200" in statuses
        assert Outside.sales[str(100 + number)] == 1
    for payment_id in payment_ids:
        assert world.payment(payment_id).status == PaymentStatus.COMPLETED
        assert world.attempt(payment_id).state == "approved"
        assert world.events(payment_id) == ["payment.created", "payment.processing", "payment.completed"]
    assert len(world.messages()) == 2 * ROUNDS
