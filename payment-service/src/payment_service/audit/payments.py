"""Compares every payment's books with its captures, refunds and disputes, and with its own sums."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

from sqlalchemy import select
from sqlalchemy.orm import Session

from payment_service.audit.findings import Advance, Findings, newest_payment
from payment_service.domain.books.postings import POSTINGS
from payment_service.extensions import db
from payment_service.models.dispute import Dispute
from payment_service.models.ledger import LedgerEntry
from payment_service.models.movement import AnyMovement, Capture, PaymentAttempt, Refund, Void
from payment_service.models.payment import Payment
from payment_service.values.statuses import (
    AttemptKind,
    DisputeStatus,
    EntryKind,
    MovementState,
    PaymentStatus,
)

BATCH = 500
Moved = PaymentAttempt | Capture | Refund | Void | Dispute | LedgerEntry
# What moves for a payment, by the member of Life that takes it.
TABLES: Mapping[str, type[Moved]] = {
    "attempts": PaymentAttempt,
    "captures": Capture,
    "refunds": Refund,
    "voids": Void,
    "disputes": Dispute,
    "entries": LedgerEntry,
}
CLOSED = {DisputeStatus.WON: EntryKind.DISPUTE_WON, DisputeStatus.LOST: EntryKind.DISPUTE_LOST}
# source, kind, account, provider, currency, merchant
EntryName = tuple[str, str, str, str, str, int]


@dataclass
class Life:
    """A payment with everything that moved for it, as it was at one moment."""

    payment: Payment
    attempts: list[PaymentAttempt] = field(default_factory=list)
    captures: list[Capture] = field(default_factory=list)
    refunds: list[Refund] = field(default_factory=list)
    voids: list[Void] = field(default_factory=list)
    disputes: list[Dispute] = field(default_factory=list)
    entries: list[LedgerEntry] = field(default_factory=list)


def verify_payments(findings: Findings, advance: Advance) -> None:
    """Look at every payment, oldest first; ``advance`` gets how many ids were gone through."""
    last_id = newest_payment()
    for first in range(1, last_id + 1, BATCH):
        for life in _lives(first, first + BATCH - 1):
            name = f"payment {life.payment.public_id}"
            findings.differences += [f"{name}: {what}" for what in _differences(life)]
            findings.in_flight += [f"{name}: {what}" for what in _in_flight(life)]
        advance(min(BATCH, last_id + 1 - first))


def _lives(first_id: int, last_id: int) -> Sequence[Life]:
    with db.reading() as session:
        _see_one_moment(session)
        payments = select(Payment).where(Payment.id.between(first_id, last_id)).order_by(Payment.id)
        found = {payment.id: Life(payment) for payment in session.scalars(payments)}
        for name, model in TABLES.items():
            rows = select(model).where(model.payment_id.between(first_id, last_id)).order_by(model.id)
            for row in cast(Iterable[Moved], session.scalars(rows)):
                getattr(found[row.payment_id], name).append(row)
    return list(found.values())


def _see_one_moment(session: Session) -> None:
    """Let all statements see the same rows while payments go on; SQLite's readers always do."""
    if session.get_bind().dialect.name != "sqlite":
        session.connection(execution_options={"isolation_level": "REPEATABLE READ"})


def _differences(life: Life) -> Iterator[str]:
    yield from _entry_differences(life)
    yield from _sum_differences(life)
    payment = life.payment
    if payment.refunded_minor + payment.refunding_minor > payment.captured_minor:
        yield "more is refunded than was captured"
    if payment.disputed_minor + payment.charged_back_minor > payment.captured_minor:
        yield "more is disputed and charged back than was captured"
    if payment.captured_minor + payment.capturing_minor > payment.authorized_minor:
        yield "more is captured than was authorised"
    if payment.status == PaymentStatus.COMPLETED and not payment.captured_minor:
        yield "it is completed, but nothing was captured"


def _entry_differences(life: Life) -> Iterator[str]:
    expected = _expected_entries(life)
    found: dict[EntryName, int] = defaultdict(int)
    for entry in life.entries:
        found[entry.source, entry.kind, entry.account, entry.provider, entry.currency, entry.merchant_id] += (
            entry.amount_minor
        )
    for name in sorted(expected.keys() | found.keys()):
        if expected.get(name) != found.get(name):
            source, kind, account, provider, currency, _ = name
            yield (
                f"{kind} of {source} on {account} ({provider}): "
                f"{_amount(found.get(name), currency)}, not {_amount(expected.get(name), currency)}"
            )
    if total := sum(entry.amount_minor for entry in life.entries):
        yield f"its entries add up to {total}, not to 0"


def _amount(amount_minor: int | None, currency: str) -> str:
    return "no entry" if amount_minor is None else f"{amount_minor} {currency}"


def _expected_entries(life: Life) -> Mapping[EntryName, int]:
    expected: dict[EntryName, int] = {}

    def post(kind: EntryKind, movement: Capture | Refund | Dispute) -> None:
        for account, sign in zip(POSTINGS[kind], (1, -1), strict=True):
            name = (
                movement.public_id,
                kind.value,
                account.value,
                movement.provider,
                movement.currency,
                movement.merchant_id,
            )
            expected[name] = sign * movement.amount_minor

    for capture in life.captures:
        if capture.state == MovementState.APPROVED:
            post(EntryKind.CAPTURED, capture)
    for refund in life.refunds:
        post(EntryKind.REFUND_ASKED, refund)
        if refund.state == MovementState.APPROVED:
            post(EntryKind.REFUND_DONE, refund)
        elif not refund.is_open:
            post(EntryKind.REFUND_FAILED, refund)
    for dispute in life.disputes:
        post(EntryKind.DISPUTE_OPENED, dispute)
        if dispute.status in CLOSED:
            post(CLOSED[dispute.status], dispute)
    return expected


def _sum_differences(life: Life) -> Iterator[str]:
    payment = life.payment
    expected = {
        "captured_minor": _sum(life.captures, is_open=False),
        "capturing_minor": _sum(life.captures, is_open=True),
        "refunded_minor": _sum(life.refunds, is_open=False),
        "refunding_minor": _sum(life.refunds, is_open=True),
        "disputed_minor": _disputed(life.disputes, DisputeStatus.OPENED),
        "charged_back_minor": _disputed(life.disputes, DisputeStatus.LOST),
    }
    for name, amount_minor in expected.items():
        if getattr(payment, name) != amount_minor:
            yield f"{name} is {getattr(payment, name)}, its movements add up to {amount_minor}"


def _sum(movements: Sequence[Capture] | Sequence[Refund], *, is_open: bool) -> int:
    return sum(
        movement.amount_minor
        for movement in movements
        if (movement.is_open if is_open else movement.state == MovementState.APPROVED)
    )


def _disputed(disputes: Sequence[Dispute], status: DisputeStatus) -> int:
    return sum(dispute.amount_minor for dispute in disputes if dispute.status == status)


def _in_flight(life: Life) -> Iterator[str]:
    for attempt in life.attempts:
        if attempt.kind != AttemptKind.REVERSAL and attempt.is_open:
            yield _describe(attempt, f"{attempt.kind} {attempt.state}")
        elif attempt.kind == AttemptKind.REVERSAL and attempt.state != MovementState.APPROVED:
            yield _describe(attempt, f"late approval {attempt.reversal_of} is not given back yet")
    others: Sequence[AnyMovement] = [*life.captures, *life.refunds, *life.voids]
    for movement in others:
        if movement.is_open:
            yield _describe(movement, f"{type(movement).__name__.lower()} {movement.state}")


def _describe(movement: AnyMovement, what: str) -> str:
    amount = f"{movement.amount_minor} {movement.currency}"
    return f"{what}: {movement.public_id}, {amount}, since {movement.started_at:%Y-%m-%d %H:%M:%S}Z"
