"""Every movement of money is posted in double entry, once, with the payment that it belongs to."""

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from payment_service.domain.books import postings
from payment_service.domain.books.postings import POSTINGS
from payment_service.models.ledger import LedgerEntry
from payment_service.models.movement import Capture
from payment_service.models.payment import Payment
from payment_service.providers.port import ProviderCharge, ProviderResult
from payment_service.values.statuses import EntryKind, LedgerAccount
from sqlalchemy.exc import IntegrityError

from tests.testkit.payments.scripted.bank import ScriptedBank
from tests.testkit.payments.scripted.sales import lose_answer
from tests.testkit.payments.world import World

AT = datetime(2026, 11, 21, 12, tzinfo=UTC)
A = LedgerAccount


@dataclass(frozen=True)
class Moved:
    """Something that can be posted."""

    public_id: str
    amount_minor: int = 1000
    currency: str = "MAD"
    provider: str = "bank-simulator"


def balances(world: World) -> dict[str, int]:
    """Return what is in each account, added up here by itself."""
    found: dict[str, int] = dict.fromkeys(LedgerAccount, 0)
    for entry in world.all(LedgerEntry):
        found[entry.account] += entry.balance_minor
    return found


def test_a_sale_writes_its_capture_the_sums_and_the_books(world: World) -> None:
    payment_id = world.create(3999.98)

    assert world.pay(payment_id).status_code == 200

    payment, attempt = world.payment(payment_id), world.attempt(payment_id)
    (capture,) = world.all(Capture)
    assert (payment.authorized_minor, payment.captured_minor) == (399998, 399998)
    assert payment.refundable_minor == 399998
    assert payment.capturable_minor == 0
    assert capture.public_id == f"cap_{attempt.public_id.removeprefix('att_')}"
    assert (capture.attempt_id, capture.payment_id) == (attempt.id, payment_id)
    assert (capture.state, capture.amount_minor, capture.currency) == ("approved", 399998, "MAD")
    assert capture.is_final
    assert (capture.ended_at, capture.next_ask_at) == (payment.paid_at, None)
    entries = world.all(LedgerEntry, payment_id=payment_id)
    assert [(entry.account, entry.amount_minor, entry.balance_minor) for entry in entries] == [
        ("provider_receivable", 399998, 399998),
        ("merchant_payable", -399998, 399998),
    ]
    assert {(entry.source, entry.kind, entry.provider, entry.posted_at) for entry in entries} == {
        (capture.public_id, "captured", "bank-simulator", payment.paid_at)
    }


def test_a_payment_that_the_janitor_completes_is_posted_once(world: World) -> None:
    payment_id = world.create()
    world.bank.script = [lose_answer_and_leave]
    assert world.pay(payment_id).status_code == 202
    assert world.all(LedgerEntry) == []
    world.bank.is_away = False

    for _ in range(2):
        world.outlast_senders()
        world.run_janitor()

    assert world.payment(payment_id).is_paid
    assert len(world.all(LedgerEntry, payment_id=payment_id)) == 2
    assert len(world.all(Capture, payment_id=payment_id)) == 1


@pytest.mark.parametrize("kind", EntryKind)
def test_a_posting_adds_up_to_nothing(kind: EntryKind) -> None:
    rows = postings.entries_of(kind, 1, 2, Moved("re_1", 777), AT)

    assert sum(row["amount_minor"] for row in rows) == 0
    assert [row["account"] for row in rows] == [account.value for account in POSTINGS[kind]]
    assert len({row["public_id"] for row in rows}) == 2


@pytest.mark.parametrize("amount_minor", [0, -5])
def test_what_is_not_positive_is_not_posted(amount_minor: int) -> None:
    with pytest.raises(ValueError, match="cannot be posted"):
        postings.entries_of(EntryKind.CAPTURED, 1, 2, Moved("cap_1", amount_minor), AT)


@pytest.mark.parametrize(
    ("posted", "expected"),
    [
        (
            ["post_capture", "post_refund_asked"],
            {A.MERCHANT_PAYABLE: 0, A.REFUNDS_IN_TRANSIT: 1000, A.PROVIDER_RECEIVABLE: 1000, A.DISPUTES: 0},
        ),
        (["post_capture", "post_refund_asked", "post_refund_done"], dict.fromkeys(LedgerAccount, 0)),
        (
            ["post_capture", "post_refund_asked", "post_refund_failed"],
            {A.MERCHANT_PAYABLE: 1000, A.REFUNDS_IN_TRANSIT: 0, A.PROVIDER_RECEIVABLE: 1000, A.DISPUTES: 0},
        ),
        (
            ["post_capture", "post_dispute_opened"],
            {A.MERCHANT_PAYABLE: 0, A.REFUNDS_IN_TRANSIT: 0, A.PROVIDER_RECEIVABLE: 1000, A.DISPUTES: 1000},
        ),
        (
            ["post_capture", "post_dispute_opened", "post_dispute_won"],
            {A.MERCHANT_PAYABLE: 1000, A.REFUNDS_IN_TRANSIT: 0, A.PROVIDER_RECEIVABLE: 1000, A.DISPUTES: 0},
        ),
        (["post_capture", "post_dispute_opened", "post_dispute_lost"], dict.fromkeys(LedgerAccount, 0)),
    ],
)
def test_where_money_is_after_each_posting(
    world: World, posted: list[str], expected: dict[LedgerAccount, int]
) -> None:
    for name in posted:
        kind = name.removeprefix("post_").split("_")[0]
        post(world, name, Moved(f"{kind}_1"))

    assert balances(world) == expected


def test_the_same_posting_twice_is_refused_by_the_database(world: World) -> None:
    post(world, "post_capture", Moved("cap_1"))

    with pytest.raises(IntegrityError):
        post(world, "post_capture", Moved("cap_1"))

    assert len(world.all(LedgerEntry)) == 2


def lose_answer_and_leave(bank: ScriptedBank, request: ProviderCharge) -> ProviderResult:
    """Take the money, lose the answer, and answer no question afterwards."""
    bank.is_away = True
    return lose_answer(bank, request)


def post(world: World, name: str, moved: Moved) -> None:
    """Post to the lab's first payment."""
    payment = world.all(Payment)[0]
    world.change(lambda session: getattr(postings, name)(session, payment, moved, AT))
