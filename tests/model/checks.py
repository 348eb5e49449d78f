"""What must be true after every step, and what at the end of a sequence; each check names what is not."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bank_simulator.extensions import db as bank_db
from bank_simulator.models import NetworkRequest
from bank_simulator.queries.verify_books import verify_books
from bank_simulator.values.vocabulary import Holding, RequestKind, Status
from payment_service.audit.bank import verify_bank
from payment_service.audit.events import verify_events
from payment_service.audit.findings import Findings
from payment_service.audit.payments import verify_payments
from payment_service.audit.snapshots import verify_snapshots
from payment_service.clients.bank_books import BankBooks
from payment_service.domain.payments.transitions import TRANSITIONS
from payment_service.extensions import db
from payment_service.models.ledger import LedgerEntry
from payment_service.models.message import OutboxMessage
from payment_service.models.payment import Payment, PaymentEvent
from payment_service.providers.bank_simulator import BankSimulator
from payment_service.queries.merchants import list_merchants
from payment_service.values.statuses import Destination, PaymentStatus, Surface
from service_kit.clock import utc_now
from service_kit.jobs.queue import JobStatus
from sqlalchemy import select

from tests.model.model import HOLDING, OVER, Movement, Order, Shown
from tests.model.receivers import RECEIPTS
from tests.model.system_under_test import MERCHANT, SystemUnderTest

# What fraud-service learns from, and what customers get letters about.
OUTCOMES = frozenset(
    {
        "payment.authorized",
        "payment.failed",
        "payment.captured",
        "payment.completed",
        "refund.succeeded",
        "dispute.opened",
        "dispute.won",
        "dispute.lost",
    }
)
LETTERS = frozenset({"payment.completed", "payment.reversed"})

Statuses = dict[int, PaymentStatus]
# By payment, then by its own id: amount and status.
ByPayment = dict[str, dict[str, tuple[int, str]]]


@dataclass
class AtBank:
    """What the bank has of an order, in minor units; ``payments``: approved, and not given back whole."""

    payments: int = 0
    held: int = 0
    captured: int = 0
    refunded: int = 0
    disputed: int = 0


def shown_orders(
    system: SystemUnderTest, *, with_refunds: bool = True, with_disputes: bool = True
) -> Mapping[str, Shown]:
    """Return every payment over HTTP, by its order; what nobody asked for yet need not be read each time."""
    payments = _listed(system, "/v1/payments")
    refunds: ByPayment = defaultdict(dict)
    disputes: ByPayment = defaultdict(dict)
    if with_refunds:
        refunds = _by_payment(system, "/v1/refunds")
    if with_disputes:
        disputes = _by_payment(system, "/v1/disputes")
    return {
        row["order_id"]: Shown(
            id=row["id"],
            status=row["status"],
            captured=row["amount_captured"],
            capturable=row["amount_capturable"],
            refunded=row["amount_refunded"],
            disputed=row["amount_disputed"],
            refunds=refunds[row["id"]],
            disputes=disputes[row["id"]],
            expires_at=row["expires_at"] and datetime.fromisoformat(row["expires_at"]),
        )
        for row in payments
    }


def orders_at_bank(system: SystemUnderTest) -> dict[str, AtBank]:
    """Return what the bank holds for true, by order; refunds that it has still to decide count."""
    found: dict[str, AtBank] = defaultdict(AtBank)
    query = select(NetworkRequest).where(
        NetworkRequest.kind.in_([RequestKind.SALE, RequestKind.AUTHORIZATION]),
        NetworkRequest.status == Status.APPROVED,
    )
    with system.bank.app_context(), bank_db.reading() as session:
        for request in session.scalars(query):
            if request.holding is not Holding.VOIDED:
                order = found[str(request.order_id)]
                order.payments += 1
                order.held += request.held_minor
                order.captured += request.captured_minor
                order.refunded += request.refunded_minor
                order.disputed += request.disputed_minor
    return found


def bank_differences(order: Order, shown: Shown, bank: AtBank) -> Iterator[str]:
    """What we show of an order is what its bank did, but for what is in doubt."""
    if bank.payments > 1 or bank.captured + bank.held > order.amount:
        yield f"the bank has {bank} of {order.amount}"
    if not order.has_doubt(Movement.CHARGE, Movement.CAPTURE) and bank.captured != shown.captured:
        yield f"{shown.captured} is captured, the bank took {bank.captured}"
    if bank.captured < shown.captured:
        yield f"{shown.captured} is captured, the bank took only {bank.captured}"
    given_back = shown.refunds_that_are("succeeded")
    if not given_back <= bank.refunded <= given_back + shown.refunds_that_are("pending"):
        yield f"refunds are {shown.refunds}, the bank gave {bank.refunded} back"
    if not order.has_doubt() and order.status in HOLDING | OVER:
        held = shown.capturable if order.status in HOLDING else 0
        if bank.held != held:
            yield f"{held} is held, the bank holds {bank.held}"


def differences_in_tables(system: SystemUnderTest, before: Statuses) -> Iterator[str]:
    """Books, sums, chains of events and states are what they must be; ``before`` becomes the states now."""
    findings = Findings()
    with system.world.app.app_context():
        verify_payments(findings, _nobody)
        yield from findings.differences
        yield from verify_events({system.world.config.event_key_id: system.world.config.event_key})
        with db.reading() as session:
            payments = list(session.scalars(select(Payment)))
            entries = session.execute(
                select(LedgerEntry.currency, LedgerEntry.source, LedgerEntry.kind, LedgerEntry.amount_minor)
            ).all()
    yield from _unbalanced([(row.currency, row.source, row.kind, row.amount_minor) for row in entries])
    for payment in payments:
        yield from (f"{payment.public_id}: {what}" for what in _impossible_sums(payment))
        now, was = PaymentStatus(payment.status), before.get(payment.id, PaymentStatus.PENDING)
        if now not in _reachable(was):
            yield f"{payment.public_id} was {was} and is {now}"
        before[payment.id] = now


def differences_at_the_end(system: SystemUnderTest) -> Iterator[str]:
    """Nothing is in flight, and everybody's books say the same."""
    findings = Findings()
    with system.world.app.app_context():
        verify_payments(findings, _nobody)
        verify_snapshots(findings, _nobody)
        for merchant in list_merchants():
            books = BankBooks(system.wire)
            verify_bank(findings, merchant, books, BankSimulator.name, utc_now(), _nobody)
        yield from findings.differences
        yield from (f"in flight: {what}" for what in findings.in_flight)
        yield from findings.notes
        yield from verify_events({system.world.config.event_key_id: system.world.config.event_key})
        yield from _untold_events(system)
    with system.bank.app_context():
        yield from verify_books().differences
    yield from _differing_totals(system)


def _nobody(_done: int) -> None:
    """Nobody looks at the progress."""


def untrue_tellings(system: SystemUnderTest) -> Iterator[str]:
    """Whatever others were told happened; those who are told at once of many events got no other."""
    with system.world.app.app_context(), db.reading() as session:
        events = set(session.scalars(select(PaymentEvent.public_id)))
    for queue, name in system.post.received:
        if queue != Destination.STORE_MANAGER and name not in events:
            yield f"{queue} was told of {name}, which is nothing"


def _untold_events(system: SystemUnderTest) -> Iterator[str]:
    """Everybody was told of everything that concerns them, and of nothing else."""
    with db.reading() as session:
        rows = session.execute(
            select(
                PaymentEvent.public_id, PaymentEvent.type, Payment.id, Payment.surface, Payment.receipt_email
            ).join(Payment, Payment.id == PaymentEvent.payment_id)
        ).all()
        undone = session.execute(
            select(OutboxMessage.queue, OutboxMessage.status).where(OutboxMessage.status != JobStatus.DONE)
        ).all()
    yield from (f"a message to {row.queue} is {row.status}" for row in undone)
    lab = [row for row in rows if row.surface == Surface.LAB]
    expected: dict[str, set[str]] = {
        Destination.EVENTS: {row.public_id for row in rows},
        Destination.FRAUD_OUTCOMES: {row.public_id for row in rows if row.type in OUTCOMES},
        Destination.STORE_MANAGER: {str(row.id) for row in lab if row.type == "payment.completed"},
        RECEIPTS: {
            row.public_id for row in rows if row.type in LETTERS and (row in lab or row.receipt_email)
        },
    }
    for destination, names in expected.items():
        arrived = system.post.at(destination)
        if arrived != names:
            yield f"{destination} was not told of {names - arrived}, and was told of {arrived - names}"


def _differing_totals(system: SystemUnderTest) -> Iterator[str]:
    """What the bank owes the merchant is what the payments show."""
    ours = 0
    for shown in shown_orders(system).values():
        kept = shown.captured - shown.refunded
        ours += kept - shown.disputes_that_are("opened") - shown.disputes_that_are("lost")
    totals = system.ask_bank("GET", "/admin/totals").get_json()["totals"]
    theirs = sum(row["net_minor"] for row in totals if row["merchant_id"] == MERCHANT)
    if ours != theirs:
        yield f"we show {ours}, the bank has {theirs} for us"


def _unbalanced(entries: Sequence[tuple[str, str, str, int]]) -> Iterator[str]:
    keys: tuple[Callable[[Any], Any], ...] = (lambda row: row[0], lambda row: row[:3])
    for key in keys:
        sums: dict[Any, int] = defaultdict(int)
        for row in entries:
            sums[key(row)] += row[3]
        yield from (f"entries of {what} add up to {total}" for what, total in sums.items() if total)


def _impossible_sums(payment: Payment) -> Iterator[str]:
    refunded = payment.refunded_minor + payment.refunding_minor
    disputed = payment.disputed_minor + payment.charged_back_minor
    if max(refunded, disputed) > payment.captured_minor:
        yield f"{refunded} is refunded and {disputed} disputed of {payment.captured_minor} captured"
    if payment.captured_minor + payment.capturing_minor > payment.authorized_minor:
        yield f"more is captured than {payment.authorized_minor} authorised"
    if payment.authorized_minor > payment.amount_minor:
        yield f"{payment.authorized_minor} is authorised of {payment.amount_minor}"


def _reachable(start: PaymentStatus) -> set[PaymentStatus]:
    """Return where a payment can have come, in any number of changes."""
    found, to_visit = {start}, [start]
    while to_visit:
        new = TRANSITIONS[to_visit.pop()] - found
        found |= new
        to_visit += new
    return found


def _listed(system: SystemUnderTest, path: str) -> list[dict[str, Any]]:
    answer = system.shop.get(system.world, path, limit=100)
    if answer.status_code != 200:
        raise AssertionError(answer.text)
    rows: list[dict[str, Any]] = answer.json["data"]
    return rows


def _by_payment(system: SystemUnderTest, path: str) -> ByPayment:
    found: ByPayment = defaultdict(dict)
    for row in _listed(system, path):
        found[row["payment"]][row["id"]] = (row["amount"], row["status"])
    return found
