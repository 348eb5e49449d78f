"""Compares our movements, one by one and in sum, with what the bank holds for true."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import cast

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from payment_service.audit.findings import Advance, Findings
from payment_service.clients.bank_books import BankBooks, BankMovement, BankTotals
from payment_service.extensions import db
from payment_service.models.ledger import LedgerEntry
from payment_service.models.merchant import Merchant
from payment_service.models.movement import Capture, PaymentAttempt, Refund, Void
from payment_service.values.statuses import AttemptKind, EntryKind, LedgerAccount, MovementState

BATCH = 1000
# An approved refund of this name is how a late approval goes back that is too old for a void.
REVERSAL_REFUND = "_refund"
Ours = PaymentAttempt | Capture | Refund | Void
TABLES: Mapping[str, Sequence[type[Ours]]] = {
    "sale": (PaymentAttempt,),
    "authorization": (PaymentAttempt,),
    "capture": (Capture,),
    "refund": (Refund, PaymentAttempt),
    "void": (Void, PaymentAttempt),
}
# Which sum a movement is in, and what it does to the merchant's account; placing a hold does nothing.
SIGNS: Mapping[str, tuple[str, int]] = {
    "sale": ("taken", 1),
    "capture": ("taken", 1),
    "refund": ("refunded", -1),
    "void": ("voided", -1),
}


@dataclass
class Side:
    """What one walk through the bank's books came to; sums by currency, in minor units."""

    seen: set[str] = field(default_factory=set)
    taken: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    refunded: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    voided: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    # What the bank moved and our books do not post, or not yet.
    unposted: dict[str, int] = field(default_factory=lambda: defaultdict(int))


def verify_bank(
    findings: Findings,
    merchant: Merchant,
    bank: BankBooks,
    provider: str,
    began_at: datetime,
    advance: Advance,
) -> None:
    """Compare one merchant; ``advance`` is told how many of the bank's movements were looked at.

    What moves after ``began_at`` is left alone. The sums are compared if nothing moved meanwhile.

    Raises:
        CallFailed: the bank's books cannot be read.
    """
    before = bank.totals(merchant.public_id), _receivable(merchant.id, provider)
    side = Side()
    for page in bank.approved(merchant.public_id):
        for batch in _batches(page):
            _compare(findings, merchant, side, batch)
        advance(len(page))
    _find_unknown_to_bank(findings, merchant, side, provider, began_at)
    totals, receivable = bank.totals(merchant.public_id), _receivable(merchant.id, provider)
    if before != (totals, receivable):
        findings.notes.append(f"merchant {merchant.public_id}: money moved meanwhile; sums were not compared")
        return
    _compare_sums(findings, merchant, side, totals, receivable)


def _compare_sums(
    findings: Findings,
    merchant: Merchant,
    side: Side,
    totals: Mapping[str, BankTotals],
    receivable: Mapping[str, int],
) -> None:
    for currency in sorted({*totals, *receivable, *side.taken}):
        said = totals.get(currency)
        listed = (side.taken[currency], side.refunded[currency], side.voided[currency])
        told = (said.taken_minor, said.refunded_minor, said.voided_minor) if said else (0, 0, 0)
        if listed != told:
            findings.differences.append(
                f"merchant {merchant.public_id}, {currency}: the bank's totals (taken, refunded, voided) are "
                f"{told}, its requests add up to {listed}"
            )
        ours = receivable.get(currency, 0) + side.unposted[currency]
        if ours != told[0] - told[1] - told[2]:
            findings.differences.append(
                f"merchant {merchant.public_id}, {currency}: by our books the bank took {ours} and kept it, "
                f"by its own {told[0] - told[1] - told[2]}"
            )


def _batches(page: Sequence[BankMovement]) -> Iterable[Sequence[BankMovement]]:
    return (page[start : start + BATCH] for start in range(0, len(page), BATCH))


def _compare(findings: Findings, merchant: Merchant, side: Side, batch: Sequence[BankMovement]) -> None:
    with db.reading() as session:
        ours = _ours(session, merchant.id, batch)
        posted = _captured_sales(session, ours.values())
        sale_reversals = _reversals_of_sales(session, ours.values())
        given_back = _given_back(session, ours.values())
    for theirs in batch:
        side.seen.add(theirs.request_id)
        name = f"merchant {merchant.public_id}: the bank approved {theirs.kind} {theirs.request_id}"
        mine = ours.get((theirs.kind, theirs.request_id))
        if mine is None:
            findings.differences.append(f"{name}, which we do not know")
            _add(side, theirs.kind, theirs.amount_minor or 0, theirs.currency or "", is_posted=False)
            continue
        is_known = mine.state == MovementState.APPROVED or mine.is_open or mine.public_id in given_back
        if not is_known:
            findings.differences.append(f"{name}, which we hold for {mine.state}")
        if theirs.amount_minor is not None and (mine.amount_minor, mine.currency) != (
            theirs.amount_minor,
            theirs.currency,
        ):
            findings.differences.append(
                f"{name} of {theirs.amount_minor} {theirs.currency}, which we hold for "
                f"{mine.amount_minor} {mine.currency}"
            )
        # The void of a hold moves nothing on the merchant's account; that of a sale gives all of it back.
        if theirs.kind != "void" or mine.id in sale_reversals:
            moved_minor = mine.amount_minor if theirs.amount_minor is None else theirs.amount_minor
            _add(side, theirs.kind, moved_minor, mine.currency, is_posted=_is_posted(mine, posted))


def _ours(
    session: Session, merchant_id: int, batch: Sequence[BankMovement]
) -> Mapping[tuple[str, str], Ours]:
    """Return our rows by the bank's kind and id."""
    found: dict[tuple[str, str], Ours] = {}
    for kind, tables in TABLES.items():
        ids = {row.request_id for row in batch if row.kind == kind}
        for table in tables:
            wanted = ids
            if kind == "refund" and table is PaymentAttempt:
                wanted = {
                    name.removesuffix(REVERSAL_REFUND) for name in ids if name.endswith(REVERSAL_REFUND)
                }
            if not wanted:
                continue
            statement = select(table).where(table.public_id.in_(wanted), table.merchant_id == merchant_id)
            rows = cast(Iterable[Ours], session.scalars(statement))
            for row in rows:
                is_refund = kind == "refund" and isinstance(row, PaymentAttempt)
                found[kind, row.public_id + REVERSAL_REFUND if is_refund else row.public_id] = row
    return found


def _captured_sales(session: Session, ours: Iterable[Ours]) -> set[int]:
    """Return the attempts that have a capture; a late approval has none."""
    attempts = {row.id for row in ours if isinstance(row, PaymentAttempt)}
    return set(session.scalars(select(Capture.attempt_id).where(Capture.attempt_id.in_(attempts))))


def _reversals_of_sales(session: Session, ours: Iterable[Ours]) -> set[int]:
    reversals = {
        row.reversal_of: row.id for row in ours if isinstance(row, PaymentAttempt) and row.reversal_of
    }
    originals = session.scalars(
        select(PaymentAttempt.public_id).where(
            PaymentAttempt.public_id.in_(reversals), PaymentAttempt.kind == AttemptKind.SALE
        )
    )
    return {reversals[name] for name in originals}


def _given_back(session: Session, ours: Iterable[Ours]) -> set[str]:
    """Return the late approvals: attempts that ended otherwise, and whose return was begun or is done."""
    names = {row.public_id for row in ours if isinstance(row, PaymentAttempt)}
    statement = select(PaymentAttempt.reversal_of).where(PaymentAttempt.reversal_of.in_(names))
    return {name for name in session.scalars(statement) if name is not None}


def _is_posted(mine: Ours, captured: set[int]) -> bool:
    if isinstance(mine, PaymentAttempt):
        return mine.id in captured
    return mine.state == MovementState.APPROVED


def _add(side: Side, kind: str, amount_minor: int, currency: str, *, is_posted: bool) -> None:
    if kind not in SIGNS:
        return
    sums, sign = SIGNS[kind]
    getattr(side, sums)[currency] += amount_minor
    if not is_posted:
        side.unposted[currency] += sign * amount_minor


def _find_unknown_to_bank(
    findings: Findings, merchant: Merchant, side: Side, provider: str, began_at: datetime
) -> None:
    """Name what we hold for approved and the bank does not."""
    tables: Sequence[type[Ours]] = (PaymentAttempt, Capture, Refund, Void)
    for table in tables:
        last_id = 0
        while rows := _approved_after(table, merchant.id, provider, last_id):
            for row in rows:
                names = _names_at_bank(row)
                moved_meanwhile = row.ended_at is not None and row.ended_at >= began_at
                if names and not moved_meanwhile and side.seen.isdisjoint(names):
                    what = "late approval's return" if _is_reversal(row) else table.__name__.lower()
                    findings.differences.append(
                        f"merchant {merchant.public_id}: we hold {what} {row.public_id} of "
                        f"{row.amount_minor} {row.currency} for approved, the bank does not"
                    )
            last_id = rows[-1].id


def _approved_after(table: type[Ours], merchant_id: int, provider: str, last_id: int) -> Sequence[Ours]:
    statement = (
        select(table)
        .where(
            table.merchant_id == merchant_id,
            table.provider == provider,
            table.state == MovementState.APPROVED,
            table.id > last_id,
        )
        .order_by(table.id)
        .limit(BATCH)
    )
    if table is Capture:
        # A sale's own capture is no movement of the bank: the sale was.
        statement = statement.join(PaymentAttempt, PaymentAttempt.id == Capture.attempt_id).where(
            PaymentAttempt.kind == AttemptKind.AUTHORIZATION
        )
    with db.reading() as session:
        return cast(Sequence[Ours], session.scalars(statement).all())


def _names_at_bank(row: Ours) -> set[str]:
    names = {row.public_id}
    if _is_reversal(row):
        names.add(row.public_id + REVERSAL_REFUND)
    return names


def _is_reversal(row: Ours) -> bool:
    return isinstance(row, PaymentAttempt) and row.kind == AttemptKind.REVERSAL


def _receivable(merchant_id: int, provider: str) -> Mapping[str, int]:
    """Return what the provider owes by our books, by currency, what was lost in disputes left in."""
    statement = (
        select(LedgerEntry.currency, func.sum(LedgerEntry.amount_minor))
        .where(
            LedgerEntry.merchant_id == merchant_id,
            LedgerEntry.account == LedgerAccount.PROVIDER_RECEIVABLE,
            LedgerEntry.provider == provider,
            LedgerEntry.kind != EntryKind.DISPUTE_LOST,
        )
        .group_by(LedgerEntry.currency)
    )
    with db.reading() as session:
        return {currency: int(total) for currency, total in session.execute(statement)}
