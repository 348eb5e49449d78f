"""A bank that errs, dawdles and loses answers, impatient payers, and neighbours that fall silent in turn.

The seed is printed; ``CAISSE_FAULT_SEED`` repeats a run's choices, ``CAISSE_FAULT_SECONDS`` makes it longer.
"""

import json
import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import requests
from sqlalchemy import Engine, create_engine
from werkzeug.serving import make_server

from run.settings import RunSettings
from tests.faults import books
from tests.stand_in_shop.shop import create_app
from tests.system.whole import WholeSystem

SECONDS = float(os.environ.get("CAISSE_FAULT_SECONDS", "60"))
PAYERS = 5
AT_ONCE = 3
SERVICES = ("payment-service", "fraud-service", "notification-service", "bank-simulator")
# Mostly the lab's card, which no velocity rule stops; then approved, declined, declined softly, answer lost.
CARDS = (
    *["9999999999999"] * 8,
    "4000100000000018",
    "4000100000000034",
    "4000200000000024",
    "4000200000000040",
)
# The latencies of the last ones outlast the provider's time-out, and the janitor's patience as well.
PLANS: tuple[dict[str, Any], ...] = (
    {"latency_ms": {"rate": 0.5, "min": 10, "max": 1500}},
    {"errors": {"rate": 0.3}},
    {"lost_answers": {"rate": 0.3}},
    {"latency_ms": {"rate": 0.3, "min": 1500, "max": 3500}, "lost_answers": {"rate": 0.1}},
    {
        "latency_ms": {"rate": 0.25, "min": 100, "max": 7000},
        "errors": {"rate": 0.15},
        "lost_answers": {"rate": 0.15},
    },
)
FAST = {
    "LIMIT_SEND_WITHIN_S": "1",
    "LIMIT_BUSY_GRACE_S": "2",
    "LIMIT_CLOCK_MARGIN_S": "2",
    "LIMIT_ASKS_AFTER_S": "2,4,6,8,10",
    "LIMIT_ASKS_HOURLY_S": "2",
    "LIMIT_ASK_LEASE_S": "3",
    "LIMIT_PROCESSING_S": "4",
    "LIMIT_PROVIDER_S": "2",
    "LIMIT_ASK_S": "1",
}
# Answers that promise that this very request took nothing.
NOT_CHARGED = frozenset({402, 502, 503})


@dataclass(frozen=True)
class Told:
    """What one request was told; ``form_key`` is empty for JSON, ``status`` when no answer came."""

    payment_id: int
    form_key: str | None
    status: int | None
    began_s: float
    ended_s: float


@dataclass
class Payers:
    """Impatient people: they click twice, reload, and try again with another card."""

    gateway_url: str
    stop: threading.Event = field(default_factory=threading.Event)
    created: set[int] = field(default_factory=set)
    told: list[Told] = field(default_factory=list)

    def pay_until_stopped(self, seed: int) -> None:
        """Order and pay, again and again, in one of three manners."""
        dice = random.Random(seed)
        manners = (self._pay_patiently, self._pay_three_times_at_once, self._click_the_form_twice)
        with ThreadPoolExecutor(AT_ONCE) as hands:
            while not self.stop.is_set():
                payment_id = self._order(dice)
                if payment_id is not None:
                    dice.choice(manners)(payment_id, dice, hands)

    def _pay_patiently(self, payment_id: int, dice: random.Random, _hands: ThreadPoolExecutor) -> None:
        for _ in range(3):
            if self._send_card(payment_id, dice.choice(CARDS)).status == 200:
                return
            time.sleep(dice.uniform(0.05, 1.5))

    def _pay_three_times_at_once(
        self, payment_id: int, dice: random.Random, hands: ThreadPoolExecutor
    ) -> None:
        for _ in range(2):
            cards = [dice.choice(CARDS) for _ in range(AT_ONCE)]
            answers = list(hands.map(lambda card: self._send_card(payment_id, card), cards))
            if any(answer.status == 200 for answer in answers):
                return
            time.sleep(dice.uniform(0.05, 1.0))

    def _click_the_form_twice(self, payment_id: int, dice: random.Random, hands: ThreadPoolExecutor) -> None:
        for _ in range(2):
            form_key, card = f"{dice.getrandbits(128):032x}", dice.choice(CARDS)
            clicks = [hands.submit(self._send_form, payment_id, card, form_key) for _ in range(2)]
            answers = [click.result().status for click in clicks]
            time.sleep(dice.uniform(0.0, 2.0))
            answers.append(self._send_form(payment_id, card, form_key).status)
            if 200 in answers:
                return

    def _order(self, dice: random.Random) -> int | None:
        total = dice.choice((dice.randint(100, 99_999), dice.randint(100_000, 500_000))) / 100
        body = {"user_id": dice.randint(1, 10**6), "order_id": 1, "total_amount": total}
        answer = requests.post(f"{self.gateway_url}/payments-api/payments", json=body, timeout=60)
        if answer.status_code != 201:
            return None
        payment_id: int = answer.json()["payment_id"]
        self.created.add(payment_id)
        return payment_id

    def _send_card(self, payment_id: int, card: str) -> Told:
        body = {"cardNumber": card, "cardCode": "123", "expirationDate": "2030-01-05"}
        return self._send(payment_id, None, json=body)

    def _send_form(self, payment_id: int, card: str, form_key: str) -> Told:
        form = {"cardNumber": card, "cardCode": "123", "expirationDate": "01/30", "form_key": form_key}
        return self._send(payment_id, form_key, data=form)

    def _send(self, payment_id: int, form_key: str | None, **body: Any) -> Told:
        began_s = time.monotonic()
        url = f"{self.gateway_url}/payments-api/payments/process/{payment_id}"
        try:
            status: int | None = requests.post(url, timeout=60, **body).status_code
        except requests.RequestException:
            status = None
        told = Told(payment_id, form_key, status, began_s, time.monotonic())
        self.told.append(told)
        return told


@pytest.fixture
def shop_and_system(
    tmp_path: Path, database_url_factory: Callable[[str], str]
) -> Iterator[tuple[books.AllOrders, WholeSystem]]:
    settings = replace(RunSettings.on_free_ports(tmp_path / "run"), orders_per_minute=2000)
    urls = {service: database_url_factory(service.replace("-", "_")) for service in SERVICES}
    shop = books.AllOrders(settings.gateway_url)
    port = int(settings.store_manager.rpartition(":")[2])
    server = make_server("127.0.0.1", port, create_app(shop), threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        with WholeSystem(settings, database_urls=urls, extra={"all": FAST}) as system:
            yield shop, system
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.deep
@pytest.mark.timeout(1200)
def test_a_faulty_bank_loses_and_doubles_nothing(
    shop_and_system: tuple[books.AllOrders, WholeSystem],
) -> None:
    shop, system = shop_and_system
    seed = int(os.environ.get("CAISSE_FAULT_SEED", random.randrange(10**6)))
    print(f"\nCAISSE_FAULT_SEED={seed}")
    payers = Payers(system.gateway_url)
    with ThreadPoolExecutor(PAYERS) as pool:
        running = [pool.submit(payers.pay_until_stopped, seed + number) for number in range(PAYERS)]
        try:
            make_trouble(shop, system, random.Random(seed))
        finally:
            payers.stop.set()
    for payer in running:
        payer.result()
    set_faults(system, None)
    payment_db = books.payment_database(system)
    notification_db = create_engine(system.database_url("notification-service"))
    decided = decide_reviews(system, random.Random(seed))
    books.wait_until_settled(payment_db)

    sales, reversals = books.our_sales(payment_db), books.our_reversals(payment_db)
    paid = books.paid_payments(payment_db)
    print(
        f"{len(payers.created)} payments, {len(paid)} paid, answers "
        f"{dict(Counter(str(told.status) for told in payers.told))}, attempts {attempt_states(payment_db)}, "
        f"{len(reversals)} reversals"
    )
    assert sales == books.bank_sales(system)
    assert sum(sales.values()) - sum(reversals.values()) == books.bank_net_minor(system)
    assert books.double_charges(payment_db) == []
    assert payments_of_kept_sales(payment_db) == paid
    assert {told.payment_id for told in payers.told if told.status == 200} <= paid
    assert false_promises(payers.told, payment_db) == []
    assert [told for told in last_words(payers.told) if told.payment_id in paid and is_promise(told)] == []
    assert payers.created <= books.all_payments(payment_db)
    assert shop.paid_payments == paid
    assert books.broken_chains(payment_db) == []
    assert books.verified(system) == []
    assert books.eventually(lambda: receipts(notification_db) == len(paid) + len(reversals), within_s=120)
    # A run in which the bank never erred, or nobody was ever paid, would prove nothing.
    assert {"approved", "abandoned", "declined"} <= attempt_states(payment_db).keys()
    assert any(told.status == 202 for told in payers.told)
    assert {"approve", "reject"} <= decided.keys()


def make_trouble(shop: books.AllOrders, system: WholeSystem, dice: random.Random) -> None:
    """Put each plan in force in turn; while it is, one of the neighbours is in trouble for a while."""
    troubles = [
        lambda quiet_s: keep_fraud_silent(system, quiet_s),
        lambda quiet_s: keep_notifications_away(system, quiet_s),
        lambda quiet_s: keep_shop_refusing(shop, quiet_s),
    ]
    phase_s = SECONDS / len(PLANS)
    order: list[Callable[[float], None]] = []
    for plan in PLANS:
        end_s = time.monotonic() + phase_s
        set_faults(system, {**plan, "seed": dice.randrange(10**6)})
        order = order or dice.sample(troubles, len(troubles))
        time.sleep(dice.uniform(0.1, 0.3) * phase_s)
        order.pop()(dice.uniform(0.3, 0.5) * phase_s)
        time.sleep(max(0.0, end_s - time.monotonic()))


def keep_fraud_silent(system: WholeSystem, quiet_s: float) -> None:
    """Stop fraud-service in its tracks: connections are made, answers do not come."""
    os.killpg(system.pid("fraud-service"), signal.SIGSTOP)
    try:
        time.sleep(quiet_s)
    finally:
        os.killpg(system.pid("fraud-service"), signal.SIGCONT)


def decide_reviews(system: WholeSystem, dice: random.Random) -> Counter[str]:
    """Approve or reject every payment that was held while fraud-service was silent, as the merchant would."""
    client = json.loads(system.settings.lab_client_file.read_text())
    credentials = (client["client_id"], client["client_secret"])
    form = {"grant_type": "client_credentials"}
    answer = requests.post(client["token_url"], auth=credentials, data=form, timeout=60)
    payments_url = f"{system.settings.gateway_url}/v1/payments"
    headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
    held = {"status": "in_review", "limit": "100"}
    decided: Counter[str] = Counter()
    while page := requests.get(payments_url, params=held, headers=headers, timeout=60).json()["data"]:
        for payment in page:
            decision = dice.choice(("approve", "reject"))
            done = requests.post(
                f"{payments_url}/{payment['id']}/{decision}",
                json={"reason": "the fault test decides"},
                headers={**headers, "Idempotency-Key": f"{decision} {payment['id']}"},
                timeout=60,
            )
            assert done.status_code in {200, 202, 402, 502}, done.text
            decided[decision] += 1
    return decided


def keep_notifications_away(system: WholeSystem, quiet_s: float) -> None:
    """Let nobody listen where notification-service was."""
    system.kill("notification-service")
    time.sleep(quiet_s)
    system.start("notification-service")
    system.wait_until_ready("notification-service")


def keep_shop_refusing(shop: books.AllOrders, quiet_s: float) -> None:
    """Let the shop answer that it updated nothing."""
    shop.is_refusing = True
    time.sleep(quiet_s)
    shop.is_refusing = False


def set_faults(system: WholeSystem, plan: dict[str, Any] | None) -> None:
    """Put a plan in force at the bank, or none."""
    url = f"{books.bank_url(system)}/admin/faults"
    answer = requests.request(
        "POST" if plan else "DELETE", url, json=plan, headers=books.BANK_TOKEN, timeout=120
    )
    assert answer.ok, answer.text


def is_promise(told: Told) -> bool:
    """Whether the answer says that nothing was charged."""
    return told.status in NOT_CHARGED


def false_promises(told: Sequence[Told], payment_db: Engine) -> list[Told]:
    """Return answers to a form that said "not charged" though that form's attempt was charged and kept."""
    kept_forms = {
        row[0]
        for row in books.rows(
            payment_db,
            "SELECT form_key FROM payment_attempts WHERE kind = 'sale' AND state = 'approved'",
        )
    }
    return [
        one
        for one in told
        if is_promise(one) and one.form_key and sha256(one.form_key.encode()).hexdigest() in kept_forms
    ]


def last_words(told: Sequence[Told]) -> list[Told]:
    """Return for each payment the last answer, where its request began after all others had ended."""
    by_payment: dict[int, list[Told]] = {}
    for one in sorted(told, key=lambda one: one.began_s):
        by_payment.setdefault(one.payment_id, []).append(one)
    return [
        asked[-1]
        for asked in by_payment.values()
        if all(other.ended_s <= asked[-1].began_s for other in asked[:-1])
    ]


def payments_of_kept_sales(payment_db: Engine) -> set[int]:
    """Return the payments for which we hold money."""
    return {
        row[0]
        for row in books.rows(
            payment_db,
            "SELECT sale.payment_id FROM payment_attempts sale "
            "LEFT JOIN payment_attempts back ON back.reversal_of = sale.public_id "
            "WHERE sale.kind = 'sale' AND sale.state = 'approved' AND back.id IS NULL",
        )
    }


def attempt_states(payment_db: Engine) -> dict[str, int]:
    """Return how the attempts ended."""
    return dict(books.rows(payment_db, "SELECT state, COUNT(*) FROM payment_attempts GROUP BY state"))


def receipts(notification_db: Engine) -> int:
    """Return how many messages to customers notification-service accepted; unique by event."""
    count: int = books.rows(notification_db, "SELECT COUNT(*) FROM notifications")[0][0]
    return count
