"""PCI, over the whole system: after whole journeys, the files of no service but the bank's know a card.

Searched are databases with their write-ahead logs, logs, letters, rendered configuration, and every answer.
"""

import json
import re
import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from html import unescape
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import requests
from sqlalchemy import create_engine
from werkzeug.serving import make_server

from run.settings import RunSettings
from tests.e2e.conftest import PATIENCE_S
from tests.faults.books import BANK_TOKEN, AllOrders, rows
from tests.stand_in_shop.shop import create_app
from tests.system.whole import PATIENT, WholeSystem
from tests.testkit.databases.traces import NumberTraces, holds_value, traces_in_files

pytestmark = [pytest.mark.engines("sqlite"), pytest.mark.timeout(900)]

# The bank knows the cards that approve with this CVV; all others are refused for a wrong one.
GOOD_CVV, WRONG_CVV = "123", "9071"
APPROVED, CHALLENGED, POOR, LOST, ANSWER_LOST, UNKNOWN = (
    "4000100000000018",
    "4000100000000075",
    "4000100000000034",
    "4000100000000042",
    "4000200000000040",
    "5105105105105100",
)
MISTYPED = "5105105105105101"
NUMBERS = tuple(map(NumberTraces, (APPROVED, CHALLENGED, POOR, LOST, ANSWER_LOST, UNKNOWN, MISTYPED)))
OF_THE_BANK = "bank-simulator"
SETTINGS = {**PATIENT, "LOG_LEVEL": "DEBUG", "LIMIT_ASKS_AFTER_S": "1,2,3,4,5,6,7,8"}
SETTLED_WITHIN_S = 240.0


def spaced(number: str, mark: str = " ") -> str:
    return mark.join(number[start : start + 4] for start in range(0, len(number), 4))


@dataclass
class Caller:
    """Sends requests through the gateway, and keeps every answer."""

    url: str
    client: Mapping[str, str]
    answers: list[requests.Response] = field(default_factory=list)

    def __post_init__(self) -> None:
        pair = (self.client["client_id"], self.client["client_secret"])
        form = {"grant_type": "client_credentials"}
        token = requests.post(self.client["token_url"], data=form, auth=pair, timeout=PATIENCE_S).json()
        self.bearer = {"Authorization": f"Bearer {token['access_token']}"}

    def send(self, method: str, path: str, **request: Any) -> requests.Response:
        answer = requests.request(method, f"{self.url}{path}", timeout=PATIENCE_S, **request)
        self.answers.append(answer)
        return answer

    def lab_payment(self, total_amount: float = 12.5) -> int:
        body = {"user_id": 1, "order_id": 1, "total_amount": total_amount}
        payment_id: int = self.send("POST", "/payments-api/payments", json=body).json()["payment_id"]
        return payment_id

    def lab_pay(self, number: Any, cvv: Any = WRONG_CVV, total_amount: float = 12.5, **changes: Any) -> int:
        card = {"cardNumber": number, "cardCode": cvv, "expirationDate": "2030-01", **changes}
        path = f"/payments-api/payments/process/{self.lab_payment(total_amount)}"
        return self.send("POST", path, json=card).status_code

    def page_pay(self, number: str, cvv: str = WRONG_CVV, **changes: str) -> int:
        path = f"/payments-api/payments/process/{self.lab_payment()}"
        return self.pay_on(path, number, cvv, **changes).status_code

    def pay_on(self, path: str, number: str, cvv: str = WRONG_CVV, **changes: str) -> requests.Response:
        page = self.send("GET", path, headers={"Accept-Language": "en"}).text
        fields = {
            "form_key": page.split('name="form_key" value="')[1].split('"')[0],
            "cardNumber": number,
            "expirationDate": "01/30",
            "cardCode": cvv,
            "email": "payer@example.org",
            **changes,
        }
        return self.send("POST", path, data=fields)

    def come_back_from_bank(self, page: str, code: str) -> requests.Response:
        """Follow a challenge's page to the bank, type a code there, and come back by the bank's link."""
        at_the_bank = link_of(page)
        done = requests.post(at_the_bank, data={"code": code}, timeout=PATIENCE_S)
        return self.send("GET", link_of(done.text).removeprefix(self.url))

    def v1(self, method: str, path: str, body: object = None, key: str | None = None) -> requests.Response:
        headers = {**self.bearer, "Idempotency-Key": key or str(uuid4())}
        return self.send(method, f"/v1{path}", json=body, headers=headers)


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WholeSystem]:
    """A system of its own, because some of it is killed."""
    settings = replace(
        RunSettings.on_free_ports(tmp_path_factory.mktemp("cards") / "run"), orders_per_minute=200
    )
    port = int(settings.store_manager.rpartition(":")[2])
    server = make_server("127.0.0.1", port, create_app(AllOrders(settings.gateway_url)), threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        with WholeSystem(settings, extra={"all": SETTINGS}) as whole:
            yield whole
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def link_of(page: str) -> str:
    """Return where the button of a page leads."""
    return unescape(page.split('<a class="button" href="')[1].split('"', maxsplit=1)[0])


def lab_journeys(caller: Caller) -> list[int]:
    return [
        caller.lab_pay(spaced(APPROVED), GOOD_CVV),
        caller.lab_pay(int(APPROVED), int(GOOD_CVV)),
        caller.lab_pay(spaced(POOR, "-"), GOOD_CVV),
        caller.lab_pay(LOST),
        caller.lab_pay(UNKNOWN),
        caller.lab_pay(ANSWER_LOST, GOOD_CVV),
        caller.lab_pay(UNKNOWN, total_amount=200_000),  # above fraud-service's limit: for review
        caller.lab_pay(MISTYPED),
        caller.lab_pay(UNKNOWN, cvv=UNKNOWN),
        caller.lab_pay(UNKNOWN, expirationDate=UNKNOWN),
        caller.lab_pay({"cardNumber": UNKNOWN}),
    ]


def page_journeys(caller: Caller) -> list[int]:
    return [
        caller.page_pay(spaced(APPROVED), GOOD_CVV),
        caller.page_pay(spaced(UNKNOWN, "-")),
        caller.page_pay(MISTYPED),
        caller.page_pay(UNKNOWN, email=UNKNOWN),
        caller.page_pay(UNKNOWN, expirationDate=UNKNOWN),
    ]


def stored_card_journeys(caller: Caller) -> list[int]:
    card = {"number": spaced(UNKNOWN), "exp_month": 1, "exp_year": 2030, "cvc": WRONG_CVV}
    body = {"card": card, "customer": {"id": "seven"}}
    kept = caller.v1("POST", "/payment-methods", body, "one-key")
    detached = caller.v1("POST", "/payment-methods", body)
    answers = [
        kept,
        caller.v1("POST", "/payment-methods", body, "one-key"),
        caller.v1("POST", "/payment-methods", {"card": {**card, "number": MISTYPED}}),
        caller.v1("POST", "/payment-methods", {"card": {**card, "cvc": UNKNOWN, UNKNOWN: WRONG_CVV}}),
        caller.v1("POST", "/payment-methods", {"card": card, UNKNOWN: WRONG_CVV}),
        caller.v1("GET", "/payment-methods"),
        caller.v1("GET", f"/payment-methods/{kept.json()['id']}"),
        caller.v1("POST", f"/payment-methods/{detached.json()['id']}/detach"),
    ]
    return [answer.status_code for answer in answers]


def payment_journeys(caller: Caller) -> list[int]:
    """A merchant's payments: with a card and with a stored one, declined, in review, refused and repeated."""
    typed = {"exp_month": 1, "exp_year": 2030}
    approved = {"number": spaced(APPROVED), "cvc": GOOD_CVV, **typed}
    unknown = {"number": spaced(UNKNOWN, "-"), "cvc": WRONG_CVV, **typed}
    stored = caller.v1("POST", "/payment-methods", {"card": approved}).json()["id"]

    def pay(card: object, key: str | None = None, **more: Any) -> requests.Response:
        body = {"amount": 1250, "currency": "MAD", "order_id": "1", "confirm": True, "card": card, **more}
        return caller.v1("POST", "/payments", body, key)

    unconfirmed = [
        caller.v1("POST", "/payments", {"amount": 1250, "currency": "MAD", "order_id": "1"}).json()["id"]
        for _ in range(2)
    ]
    for_review = [pay(card, amount=20_000_000) for card in (approved, unknown)]
    approve, reject = (answer.json()["id"] for answer in for_review)
    answers = [
        pay(approved, "one-payment"),
        pay(approved, "one-payment"),
        pay({**approved, "cvc": WRONG_CVV}, "one-payment"),
        pay(unknown, "one-payment"),
        pay(approved, capture_method="manual"),
        pay({**approved, "number": POOR}),
        pay(unknown),
        pay({**approved, "number": ANSWER_LOST}),
        *for_review,
        caller.v1("POST", f"/payments/{approve}/approve", {"reason": "known"}),
        caller.v1("POST", f"/payments/{reject}/reject", {"reason": "unknown"}),
        caller.v1("POST", f"/payments/{unconfirmed[0]}/confirm", {"payment_method": stored}),
        caller.v1("POST", f"/payments/{unconfirmed[1]}/confirm", {"card": unknown}),
        pay({**approved, "number": MISTYPED}),
        pay({**unknown, UNKNOWN: WRONG_CVV}, **{UNKNOWN: WRONG_CVV}),
        pay(None, payment_method=UNKNOWN),
        pay(unknown, amount=int(UNKNOWN)),
        caller.v1("POST", f"/payments/{UNKNOWN}/confirm", {"card": unknown}),
        caller.v1("GET", "/payments"),
    ]
    return [answer.status_code for answer in answers]


def checkout_journeys(caller: Caller) -> list[int]:
    """On the checkout page: wrong entries, a challenge, one given up for another card, and a decline."""

    def new_page() -> str:
        order = {"amount": 1250, "currency": "MAD", "order_id": "1", "return_url": "https://shop.example/"}
        url: str = caller.v1("POST", "/payments", order).json()["checkout_url"]
        return url.removeprefix(caller.url)

    challenged, given_up = new_page(), new_page()
    waits, to_give_up = (caller.pay_on(path, spaced(CHALLENGED), GOOD_CVV) for path in (challenged, given_up))
    button = to_give_up.text.split('name="other_card" value="')[1].split('"')[0]
    answers = [
        caller.pay_on(new_page(), MISTYPED),
        caller.pay_on(new_page(), spaced(UNKNOWN, "-")),
        waits,
        caller.send("GET", challenged),
        caller.come_back_from_bank(waits.text, "123456"),
        caller.send("GET", challenged),
        to_give_up,
        caller.send("POST", given_up, data={"other_card": button}),
        caller.pay_on(given_up, spaced(APPROVED), GOOD_CVV),
    ]
    return [answer.status_code for answer in answers]


def follow_up_journeys(caller: Caller, bank_url: str) -> list[int]:
    """What follows a payment: captures, a refund, and a dispute that is lost."""
    card = {"number": APPROVED, "exp_month": 1, "exp_year": 2030, "cvc": GOOD_CVV}
    body = {"amount": 1250, "currency": "MAD", "confirm": True, "capture_method": "manual", "card": card}
    payment = caller.v1("POST", "/payments", body).json()["id"]
    refund = {"payment": payment, "amount": 300, "reason": "requested_by_customer"}
    answers = [
        caller.v1("POST", f"/payments/{payment}/capture", {"amount": 1000}),
        caller.v1("POST", f"/payments/{payment}/capture"),
        caller.v1("POST", "/refunds", refund),
    ]
    timeline = caller.v1("GET", f"/payments/{payment}/events")
    attempt = re.search(r"att_[0-9a-z]+", timeline.text)
    assert attempt is not None
    disputed = {"original_request_id": attempt[0], "reason": "fraudulent", "amount_minor": 500}
    opened = requests.post(
        f"{bank_url}/admin/disputes", json=disputed, headers=BANK_TOKEN, timeout=PATIENCE_S
    )
    wait_for_dispute(caller, payment, "opened")
    ending = f"{bank_url}/admin/disputes/{opened.json()['dispute_id']}/lost"
    ended = requests.post(ending, headers=BANK_TOKEN, timeout=PATIENCE_S)
    wait_for_dispute(caller, payment, "lost")
    answers += [timeline, opened, ended, caller.v1("GET", "/events"), caller.v1("GET", "/balance/entries")]
    return [answer.status_code for answer in answers]


def wait_for_dispute(caller: Caller, payment: str, status: str) -> None:
    """Wait until the bank's event has arrived and is settled."""
    deadline_s = time.monotonic() + SETTLED_WITHIN_S
    while [dispute["status"] for dispute in disputes_of(caller, payment)] != [status]:
        assert time.monotonic() < deadline_s, disputes_of(caller, payment)
        time.sleep(0.2)


def disputes_of(caller: Caller, payment: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = caller.v1("GET", f"/disputes?payment={payment}").json()["data"]
    return found


def journeys_without(system: WholeSystem, caller: Caller, name: str, total_amount: float) -> int:
    """Pay while one of the services is dead."""
    system.kill(name)
    status = caller.lab_pay(UNKNOWN, total_amount=total_amount)
    system.start(name)
    system.wait_until_ready(name)
    return status


def wait_until_settled(system: WholeSystem) -> None:
    """Wait until nothing is under way any more; what is held for review stays so."""
    engine = create_engine(system.database_url("payment-service"))
    deadline_s = time.monotonic() + SETTLED_WITHIN_S
    open_attempts = "SELECT public_id, state FROM payment_attempts WHERE ended_at IS NULL AND state <> 'held'"
    undelivered = "SELECT id, queue, last_error FROM outbox_messages WHERE status = 'pending'"
    while left := [*rows(engine, open_attempts), *rows(engine, undelivered)]:
        assert time.monotonic() < deadline_s, left
        time.sleep(0.2)
    engine.dispose()


def test_no_file_and_no_answer_knows_a_card(system: WholeSystem) -> None:
    caller = Caller(system.gateway_url, json.loads(system.settings.lab_client_file.read_text()))

    lab, page = lab_journeys(caller), page_journeys(caller)
    stored, paid = stored_card_journeys(caller), payment_journeys(caller)
    checkout = checkout_journeys(caller)
    followed = follow_up_journeys(caller, f"http://127.0.0.1:{system.settings.ports.bank}")
    no_bank = journeys_without(system, caller, OF_THE_BANK, 12.5)
    no_fraud = journeys_without(system, caller, "fraud-service", 5000)
    wait_until_settled(system)

    assert lab == [200, 200, 402, 402, 402, 200, 202, 400, 400, 400, 400]
    assert page == [200, 402, 400, 400, 400]
    assert stored == [201, 201, 400, 400, 400, 200, 200, 200]
    assert paid[:8] == [201, 201, 201, 422, 201, 402, 402, 201]
    assert paid[8:14] == [202, 202, 200, 200, 200, 402]
    assert paid[14:] == [400, 400, 400, 400, 404, 200]
    assert checkout == [400, 402, 202, 200, 200, 200, 202, 200, 200]
    assert followed == [200, 200, 201, 200, 201, 200, 200, 200]
    assert (no_bank, no_fraud) == (502, 202)
    sealed = dict(every_cell(system.settings.run_dir / "payment-service.db"))
    assert "payment-service.db:sealed_cards.sealed" in sealed
    files = files_of_others(system.settings.run_dir)
    kinds = {file.suffix for file in files}
    assert {".db", ".db-wal", ".log", ".eml", ".json"} <= kinds
    assert traces_in_files(NUMBERS, files) == []
    assert [
        f"{answer.request.method} {answer.request.path_url}: {answer.status_code}"
        for answer in caller.answers
        for number in NUMBERS
        if number.forms_in(answer.content + str(answer.headers).encode())
    ] == []
    for cvv in (GOOD_CVV, WRONG_CVV):
        assert [name for name, value in every_value(files) if holds_value(value, cvv)] == []
        assert not any(holds_value(answer.text, cvv) for answer in caller.answers)


def test_the_search_sees_what_the_bank_knows(system: WholeSystem) -> None:
    """The bank's own files do hold the numbers: what is said to be nowhere would have been found."""
    of_the_bank = [file for file in system.settings.run_dir.rglob("*.db*") if OF_THE_BANK in file.name]

    assert any("utf-8" in trace for trace in traces_in_files(NUMBERS[:1], of_the_bank))
    assert any(True for _ in every_value(files_of_others(system.settings.run_dir)))


def files_of_others(run_dir: Path) -> list[Path]:
    return [file for file in sorted(run_dir.rglob("*")) if file.is_file() and OF_THE_BANK not in file.name]


def every_value(files: list[Path]) -> Iterator[tuple[str, Any]]:
    """Every cell of every table, every line of every log, and every word of every letter."""
    for file in files:
        if file.suffix == ".db":
            yield from every_cell(file)
        elif file.suffix in {".log", ".json"}:
            yield from ((file.name, line) for line in file.read_text().splitlines())
        elif file.suffix == ".eml":
            yield from ((file.name, word) for word in file.read_text().split())


def every_cell(file: Path) -> Iterator[tuple[str, Any]]:
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        for (table,) in tables:
            cursor = connection.execute(f"SELECT * FROM {table}")  # noqa: S608  its own names
            names = [f"{file.name}:{table}.{column[0]}" for column in cursor.description]
            for row in cursor:
                yield from zip(names, row, strict=True)
