"""For tests: the simulator on a real socket, and a client that speaks to it."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests
from bank_simulator.controllers.request import EXTENSION
from bank_simulator.worker import background
from flask import Flask
from werkzeug.serving import make_server

Answer = dict[str, Any]

_SERVICE = Path(__file__).parents[2] / "bank-simulator"


@contextmanager
def serving(app: Flask) -> Iterator[str]:
    """Serve ``app`` by threads on a free port of 127.0.0.1; the value is its address."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def working(app: Flask) -> Iterator[None]:
    """Let ``app`` deliver its events and end what is overdue, as its web process does."""
    works = background(app)
    works.start()
    try:
        yield
    finally:
        works.stop()


class BankClient:
    """Speaks to a running simulator for one merchant; every call opens a connection of its own."""

    def __init__(self, address: str, token: str = "lab-bank-token") -> None:  # noqa: S107  the lab's
        self.address = address
        self.merchant_id = f"mer_{uuid.uuid4().hex}"
        self._headers = {"Authorization": f"Bearer {token}"}

    def request(self, method: str, path: str, **options: Any) -> requests.Response:
        """Send a request."""
        headers = {**self._headers, **options.pop("headers", {})}
        return requests.request(method, self.address + path, headers=headers, timeout=120, **options)

    def post(self, path: str, body: Answer | None = None) -> Answer:
        """Post ``body`` and return the JSON of a 200."""
        response = self.request("POST", path, json=body)
        if response.status_code != requests.codes.ok:
            raise AssertionError(f"{response.status_code} {response.text}")
        answer: Answer = response.json()
        return answer

    def payment(self, number: str, amount_minor: int, **changes: Any) -> Answer:
        """Return the body of a sale or authorisation."""
        card = {"number": number, "exp_month": 1, "exp_year": 2030, "cvv": "123"}
        body = {
            "request_id": f"att_{uuid.uuid4().hex}",
            "amount_minor": amount_minor,
            "currency": "MAD",
            "card": {**card, **changes.pop("card", {})},
            "merchant_id": self.merchant_id,
            "order_id": "1",
        }
        return {**body, **changes}

    def sell(self, number: str, amount_minor: int, **changes: Any) -> Answer:
        """Make a sale."""
        return self.post("/network/sales", self.payment(number, amount_minor, **changes))

    def authorize(self, number: str, amount_minor: int, **changes: Any) -> Answer:
        """Make an authorisation."""
        return self.post("/network/authorizations", self.payment(number, amount_minor, **changes))

    def challenged(self, path: str = "sales", amount_minor: int = 100, **changes: Any) -> Answer:
        """Make a payment (``sales`` or ``authorizations``) that waits for its cardholder."""
        changes.setdefault("three_ds", {"mode": "required", "return_url": "https://shop.example/return"})
        asked = self.payment(changes.pop("number", "4242424242424242"), amount_minor, **changes)
        answer = self.post(f"/network/{path}", asked)
        if answer["status"] != "requires_action":
            raise AssertionError(answer)
        return answer

    def answer_challenge(self, challenged: Answer, **form: str) -> requests.Response:
        """Send the form of the challenge's page, such as ``code="123456"`` or ``action="cancel"``."""
        return requests.post(self.acs_url(challenged), data=form, timeout=120, allow_redirects=False)

    def acs_url(self, challenged: Answer) -> str:
        """Return where this simulator has the page, wherever ``SIMULATOR_PUBLIC_URL`` says it is."""
        return f"{self.address}/acs/{challenged['redirect_url'].rsplit('/', 1)[1]}"

    def decide(self, pending: Answer, status: str) -> Answer:
        """Decide a pending request."""
        return self.post(f"/admin/requests/{pending['request_id']}/decide", {"status": status})

    def follow_up(self, kind: str, original: Answer | str, **members: Any) -> Answer:
        """Capture, void or refund (``kind`` in the plural, as in the address)."""
        original_id = original if isinstance(original, str) else original["request_id"]
        body = {"request_id": f"fol_{uuid.uuid4().hex}", "original_request_id": original_id, **members}
        return self.post(f"/network/{kind}", body)

    def dispute(self, original: Answer, **members: Any) -> Answer:
        """Contest a payment."""
        answer: Answer = self._contest(original["request_id"], members).json()
        return answer

    def try_dispute(self, original: Answer | str, **members: Any) -> int:
        """Contest a payment, or try to; return the status of the answer."""
        original_id = original if isinstance(original, str) else original["request_id"]
        return self._contest(original_id, members).status_code

    def _contest(self, original_id: str, members: Answer) -> requests.Response:
        return self.request("POST", "/admin/disputes", json={"original_request_id": original_id, **members})

    def status(self, request_id: str) -> requests.Response:
        """Ask what became of a request."""
        return self.request("GET", f"/network/requests/{request_id}")

    def abandon(self, request_id: str) -> Answer:
        """Abandon a request."""
        return self.post(f"/network/requests/{request_id}/abandon")

    def totals(self) -> Answer | None:
        """Return this merchant's totals in MAD, None before anything moved."""
        every = self.request("GET", "/admin/totals").json()["totals"]
        ours = [row for row in every if (row["merchant_id"], row["currency"]) == (self.merchant_id, "MAD")]
        return ours[0] if ours else None

    def net_minor(self) -> int:
        """Return what this merchant has, in MAD."""
        totals = self.totals()
        return 0 if totals is None else int(totals["net_minor"])


@contextmanager
def served_by_gunicorn(app: Flask, **environment: str) -> Iterator[BankClient]:
    """Serve ``app``'s database by gunicorn, as it runs outside of tests; ``environment`` is added to ours."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "gunicorn", "-c", str(_SERVICE / "gunicorn.conf.py")]
    own = {
        "DATABASE_URL": app.extensions[EXTENSION].config.database_url,
        "BIND": f"127.0.0.1:{port}",
        "LOG_LEVEL": "WARNING",
    }
    process = subprocess.Popen(command, env={**os.environ, **own, **environment}, cwd=_SERVICE)
    try:
        bank = BankClient(f"http://127.0.0.1:{port}")
        _wait_until_live(bank, process)
        yield bank
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(120)


def _wait_until_live(bank: BankClient, process: "subprocess.Popen[bytes]") -> None:
    give_up_at = time.monotonic() + 120
    while time.monotonic() < give_up_at and process.poll() is None:
        try:
            bank.request("GET", "/health/live")
        except requests.ConnectionError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("gunicorn did not come up")
