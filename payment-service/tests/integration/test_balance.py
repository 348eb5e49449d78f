"""What a merchant is owed: its snapshots and the entries after them, whatever order those came in."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from payment_service.commands.upkeep.take_snapshots import SnapshotJob
from payment_service.domain.books import snapshots
from payment_service.domain.books.postings import entries_of, post_capture, post_refund_asked
from payment_service.extensions import db
from payment_service.models.ledger import BalanceSnapshot, LedgerEntry
from payment_service.models.merchant import Merchant
from payment_service.models.payment import Payment
from payment_service.values.scopes import Scope
from payment_service.values.statuses import EntryKind
from service_kit.db.rows import AppendingSession
from sqlalchemy import insert, update
from sqlalchemy.orm import Session

from tests.testkit.payments.access import Shop, bearer, new_client, open_shop
from tests.testkit.payments.world import World

MARGIN_S = 120.0
AT = datetime(2026, 11, 21, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Moved:
    """Something that can be posted."""

    public_id: str
    amount_minor: int = 1000
    currency: str = "MAD"
    provider: str = "bank-simulator"


@dataclass
class Clock:
    """A monotonic clock that tests move."""

    now_s: float = 1000.0
    job: SnapshotJob = field(init=False)

    def __post_init__(self) -> None:
        self.job = SnapshotJob(MARGIN_S, lambda: self.now_s)

    def turn(self, world: World, after_s: float = 0.0) -> int:
        """Let the job of the worker have a turn, later."""
        self.now_s += after_s
        with world.app.app_context():
            return self.job.take()


@pytest.fixture
def shop(world: World) -> Shop:
    """A merchant to which the lab's payments 1 and 2 belong."""
    shop = open_shop(world)
    own(world, shop, [1, 2])
    return shop


def own(world: World, shop: Shop, payment_ids: list[int]) -> None:
    (merchant,) = world.all(Merchant, public_id=shop.merchant_id)
    statement = update(Payment).where(Payment.id.in_(payment_ids)).values(merchant_id=merchant.id)
    world.change(lambda session: session.execute(statement))


def post(world: World, moved: Moved, *, payment_id: int = 1, at: datetime = AT, first_id: int = 0) -> None:
    """Post a capture; with ``first_id`` its two entries get that id and the next."""
    payment = world.payment(payment_id)
    rows = entries_of(EntryKind.CAPTURED, payment.merchant_id, payment_id, moved, at)
    if first_id:
        rows = [{**row, "id": first_id + number} for number, row in enumerate(rows)]
    world.change(lambda session: session.execute(insert(LedgerEntry), rows))


def available(world: World, shop: Shop) -> Mapping[str, int]:
    answer = world.client.get("/v1/balance", headers=shop.bearer)
    assert answer.status_code == 200
    return {row["currency"]: row["available"] for row in answer.json["balances"]}


def get(world: World, shop: Shop, **query: Any) -> Any:
    answer = world.client.get("/v1/balance/entries", query_string=query, headers=shop.bearer)
    assert answer.status_code == 200, answer.text
    return answer.json


def test_a_balance_is_told_by_currency(world: World, shop: Shop) -> None:
    payment = world.payment(1)

    def work(session: Session) -> None:
        post_capture(session, payment, Moved("cap_1", 5000), AT)
        post_refund_asked(session, payment, Moved("re_1", 1200), AT)
        post_capture(session, payment, Moved("cap_2", 700, "EUR", "other-bank"), AT)
        post_capture(session, payment, Moved("cap_3", 30, "EUR"), AT)

    world.change(work)

    answer = world.client.get("/v1/balance", headers=shop.bearer)

    assert answer.json == {
        "object": "balance",
        "balances": [
            {
                "currency": "EUR",
                "available": 730,
                "refunds_in_transit": 0,
                "disputes": 0,
                "provider_receivable": 730,
            },
            {
                "currency": "MAD",
                "available": 3800,
                "refunds_in_transit": 1200,
                "disputes": 0,
                "provider_receivable": 5000,
            },
        ],
    }


def test_a_merchant_without_movements_has_no_balances(world: World) -> None:
    assert available(world, open_shop(world, "Newcomer")) == {}


def test_nobody_sees_the_books_of_others(world: World, shop: Shop) -> None:
    post(world, Moved("cap_1"))
    (entry, _) = get(world, shop)["data"]
    other = open_shop(world, "Other")

    assert available(world, other) == {}
    assert get(world, other)["data"] == []
    assert get(world, other, payment=entry["payment"])["data"] == []
    answer = world.client.get(f"/v1/balance/entries?starting_after={entry['id']}", headers=other.bearer)
    assert answer.status_code == 400


def test_the_scope_is_needed(world: World, shop: Shop) -> None:
    headers = bearer(world, new_client(world, shop.merchant_id, [Scope.PAYMENTS_READ]))

    for path in ("/v1/balance", "/v1/balance/entries"):
        assert world.client.get(path, headers=headers).status_code == 403


def test_entries_are_listed_filtered_and_paged(world: World, shop: Shop) -> None:
    payments = {payment.id: payment.public_id for payment in world.all(Payment)}
    for number in range(3):
        post(world, Moved(f"cap_{number}", 100 + number), at=AT + timedelta(hours=number))
    refund = Moved("re_1", 40)
    world.change(
        lambda session: post_refund_asked(session, world.payment(2), refund, AT + timedelta(hours=9))
    )

    listed = get(world, shop)

    assert (listed["object"], listed["url"], listed["has_more"]) == ("list", "/v1/balance/entries", False)
    assert [(row["source"], row["account"], row["amount"]) for row in listed["data"]] == [
        ("re_1", "refunds_in_transit", 40),
        ("re_1", "merchant_payable", -40),
        ("cap_2", "merchant_payable", 102),
        ("cap_2", "provider_receivable", 102),
        ("cap_1", "merchant_payable", 101),
        ("cap_1", "provider_receivable", 101),
        ("cap_0", "merchant_payable", 100),
        ("cap_0", "provider_receivable", 100),
    ]
    assert listed["data"][2] == {
        "id": "ent_cap_2_captured_c",
        "object": "balance_entry",
        "account": "merchant_payable",
        "kind": "captured",
        "amount": 102,
        "currency": "MAD",
        "payment": payments[1],
        "source": "cap_2",
        "provider": "bank-simulator",
        "created_at": "2026-11-21T14:00:00.000000Z",
    }

    def sources(**query: Any) -> list[str]:
        return [row["source"] for row in get(world, shop, **query)["data"]]

    assert sources(payment=payments[2]) == ["re_1", "re_1"]
    assert sources(payment="pay_unknown") == []
    assert sources(account="merchant_payable") == ["re_1", "cap_2", "cap_1", "cap_0"]
    assert sources(kind="refund_asked") == ["re_1", "re_1"]
    assert sources(kind="captured", account="merchant_payable", payment=payments[1]) == [
        "cap_2",
        "cap_1",
        "cap_0",
    ]
    assert sources(created_from="2026-11-21T13:00:00Z", created_to="2026-11-21T14:00:00Z") == ["cap_1"] * 2
    first = get(world, shop, limit=3)
    assert first["has_more"]
    assert get(world, shop, limit=3, starting_after=first["data"][-1]["id"])["data"] == listed["data"][3:6]
    assert get(world, shop, ending_before=listed["data"][3]["id"])["data"] == listed["data"][:3]


@pytest.mark.parametrize(
    "query", ["account=cash", "kind=bonus", "payment=%00", "created_from=yesterday", "limit=0", "limit=101"]
)
def test_filters_that_cannot_be_read_are_refused(world: World, shop: Shop, query: str) -> None:
    answer = world.client.get(f"/v1/balance/entries?{query}", headers=shop.bearer)

    assert answer.status_code == 400
    assert answer.json["errors"]


def test_the_balance_is_the_same_whatever_the_snapshot_holds(world: World, shop: Shop) -> None:
    clock = Clock()
    for number in range(1, 6):
        post(world, Moved(f"cap_{number}", number))
        clock.turn(world, 60)
        assert available(world, shop) == {"MAD": sum(range(1, number + 1))}

    held = {row.account: row.amount_minor for row in world.all(BalanceSnapshot)}
    assert held == {"provider_receivable": 6, "merchant_payable": -6}  # the first three: 120 s old or more


def test_an_entry_that_commits_late_with_a_smaller_id_is_counted(world: World, shop: Shop) -> None:
    clock = Clock()
    post(world, Moved("cap_1", 100), first_id=1001)
    clock.turn(world)
    assert world.all(BalanceSnapshot) == []

    # Its transaction took the ids 901 and 902 before that one, and ends a little before the margin.
    clock.turn(world, MARGIN_S - 1)
    post(world, Moved("cap_late", 11), first_id=901)
    assert available(world, shop) == {"MAD": 111}
    clock.turn(world, 1)

    assert {row.account: (row.amount_minor, row.up_to_id) for row in world.all(BalanceSnapshot)} == {
        "provider_receivable": (111, 1002),
        "merchant_payable": (-111, 1002),
    }
    assert available(world, shop) == {"MAD": 111}


@pytest.mark.engines("mariadb", "mysql")
def test_ids_do_commit_out_of_order_and_the_margin_waits_for_them(world: World, shop: Shop) -> None:
    # Names of its own: where a row of that name was deleted, InnoDB locks the gap and the other would wait.
    clock = Clock()
    payment = world.payment(1)
    has_id, may_commit = threading.Event(), threading.Event()

    def work(session: Session) -> None:
        post_capture(session, payment, Moved("cap_slow", 11), AT)
        assert isinstance(session, AppendingSession)
        session.write_gathered()
        has_id.set()
        may_commit.wait(120)

    def post_late() -> None:
        with world.app.app_context():
            db.in_transaction(work)

    slow = threading.Thread(target=post_late)
    slow.start()
    assert has_id.wait(60)
    post(world, Moved("cap_swift", 100))
    clock.turn(world)
    assert available(world, shop) == {"MAD": 100}
    may_commit.set()
    slow.join()
    clock.turn(world, MARGIN_S)

    late, early = world.all(LedgerEntry, source="cap_slow"), world.all(LedgerEntry, source="cap_swift")
    assert late[-1].id < early[0].id
    assert {row.amount_minor for row in world.all(BalanceSnapshot)} == {111, -111}
    assert available(world, shop) == {"MAD": 111}


def test_a_new_process_waits_for_the_margin(world: World, shop: Shop) -> None:
    post(world, Moved("cap_1"))

    Clock(now_s=9999.0).turn(world)

    assert world.all(BalanceSnapshot) == []


def test_many_entries_are_added_in_batches(world: World, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshots, "BATCH", 4)
    clock = Clock()
    for number in range(5):
        post(world, Moved(f"cap_{number}", 10), first_id=1 + 50 * number)
    clock.turn(world)

    assert [clock.turn(world, MARGIN_S), *(clock.turn(world) for _ in range(3))] == [1, 1, 0, 0]
    assert {row.amount_minor for row in world.all(BalanceSnapshot)} == {50, -50}


def test_workers_that_add_at_the_same_moment_count_nothing_twice(world: World, shop: Shop) -> None:
    jobs = [SnapshotJob(margin_s=0) for _ in range(3)]
    barrier = threading.Barrier(len(jobs))

    def take(job: SnapshotJob) -> None:
        with world.app.app_context():
            barrier.wait(60)
            job.take()

    for number in range(12):
        post(world, Moved(f"cap_{number}", 10))
        workers = [threading.Thread(target=take, args=(job,)) for job in jobs]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        assert {row.amount_minor for row in world.all(BalanceSnapshot)} == {
            10 * (number + 1),
            -10 * (number + 1),
        }
