"""What the bank, the payment-service and the shop hold for true at the end of a run, for the fault tests."""

import time
from collections.abc import Callable
from typing import Any

import requests
from payment_service.domain.payments.events import seal
from sqlalchemy import Engine, create_engine, text

from tests.stand_in_shop.shop import Shop
from tests.system.whole import WholeSystem

SETTLED_WITHIN_S = 300.0
BANK_TOKEN = {"Authorization": "Bearer lab-bank-token"}
LAB_EVENT_KEY = b"lab-event-key"


class AllOrders(Shop):
    """A shop that knows every order, and remembers which payments it was told of.

    While ``is_refusing``, it answers ``updated: false`` as the real one does when its database is away.
    """

    def __init__(self, gateway_url: str) -> None:
        super().__init__(gateway_url)
        self.paid_payments: set[int] = set()
        self.is_refusing = False

    def update(self, body: dict[str, Any]) -> bool:
        """Take every update, unless it refuses for the moment."""
        if self.is_refusing:
            return False
        assert body["is_paid"] is True
        self.paid_payments.add(body["payment_id"])
        return True


def payment_database(system: WholeSystem) -> Engine:
    """Return the database of the payment-service."""
    return create_engine(system.database_url("payment-service"))


def wait_until_settled(payment_db: Engine) -> None:
    """Wait until no attempt is open, no payment is processing and the outbox is empty."""
    deadline_s = time.monotonic() + SETTLED_WITHIN_S
    while left := unsettled(payment_db):
        assert time.monotonic() < deadline_s, f"still open: {left}"
        time.sleep(0.5)


def unsettled(payment_db: Engine) -> list[Any]:
    """Return what is still to come: open attempts, processing payments and undelivered messages."""
    return [
        *rows(payment_db, "SELECT public_id, state FROM payment_attempts WHERE ended_at IS NULL"),
        *rows(payment_db, "SELECT public_id, status FROM payments WHERE status = 'processing'"),
        *rows(payment_db, "SELECT id, queue, last_error FROM outbox_messages WHERE status <> 'done'"),
    ]


def our_sales(payment_db: Engine) -> dict[str, int]:
    """Return the amount of every sale that we hold for approved, by its attempt."""
    return _approved(payment_db, "sale")


def our_reversals(payment_db: Engine) -> dict[str, int]:
    """Return the amount of every reversal that we hold for approved, by its attempt."""
    return _approved(payment_db, "reversal")


def bank_requests(system: WholeSystem) -> list[dict[str, Any]]:
    """Return everything that arrived at the bank for the lab's merchant and was approved."""
    found: list[dict[str, Any]] = []
    after: int | None = 0
    while after is not None:
        page_url = f"{bank_url(system)}/admin/requests?merchant_id=mer_lab&after={after}"
        answer = requests.get(page_url, headers=BANK_TOKEN, timeout=120)
        assert answer.status_code == 200
        page = answer.json()
        found += [row for row in page["requests"] if row["status"] == "approved"]
        after = page["next_after"]
    return found


def bank_sales(system: WholeSystem) -> dict[str, int]:
    """Return the amount of every sale that the bank approved, by its request id."""
    return {row["request_id"]: row["amount_minor"] for row in bank_requests(system) if row["kind"] == "sale"}


def bank_net_minor(system: WholeSystem) -> int:
    """Return what the bank owes the lab's merchant: sales less voids and refunds."""
    answer = requests.get(f"{bank_url(system)}/admin/totals", headers=BANK_TOKEN, timeout=120)
    assert answer.status_code == 200
    return sum(row["net_minor"] for row in answer.json()["totals"] if row["merchant_id"] == "mer_lab")


def bank_url(system: WholeSystem) -> str:
    """Where the bank is."""
    return f"http://127.0.0.1:{system.settings.ports.bank}"


def double_charges(payment_db: Engine) -> list[Any]:
    """Return payments with more than one approved sale that was not given back."""
    return rows(
        payment_db,
        "SELECT sale.payment_id, COUNT(*) FROM payment_attempts sale "
        "LEFT JOIN payment_attempts back ON back.reversal_of = sale.public_id AND back.state = 'approved' "
        "WHERE sale.kind = 'sale' AND sale.state = 'approved' AND back.id IS NULL "
        "GROUP BY sale.payment_id HAVING COUNT(*) > 1",
    )


def paid_payments(payment_db: Engine) -> set[int]:
    """Return the ids of completed payments."""
    return {row[0] for row in rows(payment_db, "SELECT id FROM payments WHERE status = 'completed'")}


def all_payments(payment_db: Engine) -> set[int]:
    """Return every payment's id."""
    return {row[0] for row in rows(payment_db, "SELECT id FROM payments")}


def broken_chains(payment_db: Engine) -> list[str]:
    """Return the payments whose events do not end, link by link, in the head that the payment holds."""
    events: dict[int, list[tuple[int, str, str]]] = {}
    for payment_id, *event in rows(
        payment_db, "SELECT payment_id, sequence, body, mac FROM payment_events ORDER BY payment_id, sequence"
    ):
        events.setdefault(payment_id, []).append((event[0], event[1], event[2]))
    return [
        public_id
        for payment_id, public_id, count, head in rows(
            payment_db, "SELECT id, public_id, event_count, event_head FROM payments"
        )
        if not _is_whole(events.get(payment_id, []), count, head)
    ]


def verified(system: WholeSystem) -> list[str]:
    """Return what the payment-service's own verifiers find or hold for open; nothing when all is well."""
    said: list[str] = []
    for command in ("verify-ledger", "verify-events"):
        done = system.operate("payment-service", command)
        if done.returncode != 0 or "in flight" in done.stdout:
            said.append(f"{command} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return said


def rows(database: Engine, statement: str) -> list[Any]:
    """Run one SELECT."""
    with database.connect() as connection:
        return [tuple(row) for row in connection.execute(text(statement))]


def eventually(is_so: Callable[[], bool], within_s: float) -> bool:
    """Return whether something comes true in time."""
    deadline_s = time.monotonic() + within_s
    while not is_so():
        if time.monotonic() > deadline_s:
            return False
        time.sleep(0.2)
    return True


def _approved(payment_db: Engine, kind: str) -> dict[str, int]:
    return dict(
        rows(
            payment_db,
            "SELECT public_id, amount_minor FROM payment_attempts "  # noqa: S608  our own two words
            f"WHERE kind = '{kind}' AND state = 'approved'",
        )
    )


def _is_whole(events: list[tuple[int, str, str]], count: int, head: str) -> bool:
    mac = ""
    for expected, (sequence, body, stored) in enumerate(events, start=1):
        mac = seal(LAB_EVENT_KEY, mac, body)
        if (sequence, stored) != (expected, mac):
            return False
    return (len(events), mac) == (count, head)
