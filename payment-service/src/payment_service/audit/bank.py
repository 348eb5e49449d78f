"""Compares our movements, one by one and in sum, with the bank's own books."""

from collections import Counter
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
# Where our rows of the bank's kinds are, and what the bank's id has after ours.
TABLES: Mapping[str, Sequence[tuple[type[Ours], str]]] = {
    "sale": ((PaymentAttempt, ""),),
    "authorization": ((PaymentAttempt, ""),),
    "capture": ((Capture, ""),),
    "refund": ((Refund, ""), (PaymentAttempt, REVERSAL_REFUND)),
    "void": ((Void, ""), (PaymentAttempt, "")),
}
# Which total a movement is in, and what it does to the merchant's account; placing a hold does nothing.
TOTALS: Mapping[str, tuple[str, int]] = {
    "sale": ("taken", 1),
    "capture": ("taken", 1),
    "refund": ("refunded", -1),
    "void": ("voided", -1),
}


def verify_bank(
    findings: Findings,
    merchant: Merchant,
    bank: BankBooks,
    provider: str,
    began_at: datetime,
    advance: Advance,
) -> None:
    """Compare one merchant; ``advance`` gets how many of the bank's movements were looked at.

    What moves after ``began_at`` is left alone. The sums are compared if nothing moved meanwhile.

    Raises:
        CallFailed: the bank's books cannot be read.
    """
    before = bank.totals(merchant.public_id), _receivable(merchant.id, provider)
    comparison = _Comparison(findings, merchant, provider, began_at)
    for page in bank.approved(merchant.public_id):
        comparison.compare_movements(page)
        advance(len(page))
    comparison.find_unknown_to_bank()
    totals, receivable = bank.totals(merchant.public_id), _receivable(merchant.id, provider)
    if before == (totals, receivable):
        comparison.compare_sums(totals, receivable)
    else:
        findings.notes.append(f"merchant {merchant.public_id}: money moved meanwhile; sums were not compared")


@dataclass
class _Comparison:
    """One walk through the bank's books of one merchant; sums are in minor units."""

    findings: Findings
    merchant: Merchant
    provider: str
    began_at: datetime
    seen: set[str] = field(default_factory=set)
    # By total and currency.
    moved: Counter[tuple[str, str]] = field(default_factory=Counter)
    # By currency: what the bank moved and our books do not post, or not yet.
    unposted: Counter[str] = field(default_factory=Counter)

    def compare_movements(self, page: Sequence[BankMovement]) -> None:
        with db.reading() as session:
            ours = _ours(session, self.merchant.id, page)
            attempts = [row for row in ours.values() if isinstance(row, PaymentAttempt)]
            captured = _captured(session, attempts)
            sale_reversals = _reversals_of_sales(session, attempts)
            given_back = _given_back(session, attempts)
        for theirs in page:
            self.seen.add(theirs.request_id)
            what = f": the bank approved {theirs.kind} {theirs.request_id}"
            mine = ours.get((theirs.kind, theirs.request_id))
            if mine is None:
                self._differs(f"{what}, which we do not know")
                self._add(theirs.kind, theirs.amount_minor or 0, theirs.currency or "", is_posted=False)
                continue
            is_approved = mine.state == MovementState.APPROVED
            if not (is_approved or mine.is_open or mine.public_id in given_back):
                self._differs(f"{what}, which we hold for {mine.state}")
            moved_minor = mine.amount_minor if theirs.amount_minor is None else theirs.amount_minor
            if theirs.amount_minor is not None and (mine.amount_minor, mine.currency) != (
                theirs.amount_minor,
                theirs.currency,
            ):
                self._differs(
                    f"{what} of {theirs.amount_minor} {theirs.currency}, which we hold for "
                    f"{mine.amount_minor} {mine.currency}"
                )
            # The void of a hold moves nothing on the merchant's account; that of a sale gives all of it back.
            if theirs.kind != "void" or mine.id in sale_reversals:
                is_posted = mine.id in captured if isinstance(mine, PaymentAttempt) else is_approved
                self._add(theirs.kind, moved_minor, mine.currency, is_posted=is_posted)

    def find_unknown_to_bank(self) -> None:
        """Name what we hold for approved and the bank does not."""
        for table in (PaymentAttempt, Capture, Refund, Void):
            last_id = 0
            while rows := _approved_after(table, self.merchant.id, self.provider, last_id):
                for row in rows:
                    is_reversal = isinstance(row, PaymentAttempt) and row.kind == AttemptKind.REVERSAL
                    names = {row.public_id, row.public_id + REVERSAL_REFUND if is_reversal else row.public_id}
                    moved_meanwhile = row.ended_at is not None and row.ended_at >= self.began_at
                    if not moved_meanwhile and self.seen.isdisjoint(names):
                        what = "late approval's return" if is_reversal else table.__name__.lower()
                        self._differs(
                            f": we hold {what} {row.public_id} of {row.amount_minor} {row.currency} "
                            "for approved, the bank does not"
                        )
                last_id = rows[-1].id

    def compare_sums(self, totals: Mapping[str, BankTotals], receivable: Mapping[str, int]) -> None:
        taken_in = {currency for name, currency in self.moved if name == "taken"}
        for currency in sorted({*totals, *receivable, *taken_in}):
            total = totals.get(currency, BankTotals(0, 0, 0))
            stated = (total.taken_minor, total.refunded_minor, total.voided_minor)
            listed = tuple(self.moved[name, currency] for name in ("taken", "refunded", "voided"))
            if listed != stated:
                self._differs(
                    f", {currency}: the bank's totals (taken, refunded, voided) are "
                    f"{stated}, its requests add up to {listed}"
                )
            ours = receivable.get(currency, 0) + self.unposted[currency]
            theirs = stated[0] - stated[1] - stated[2]
            if ours != theirs:
                self._differs(
                    f", {currency}: by our books the bank took {ours} and kept it, by its own {theirs}"
                )

    def _differs(self, what: str) -> None:
        self.findings.differences.append(f"merchant {self.merchant.public_id}{what}")

    def _add(self, kind: str, amount_minor: int, currency: str, *, is_posted: bool) -> None:
        if kind not in TOTALS:
            return
        total, sign = TOTALS[kind]
        self.moved[total, currency] += amount_minor
        if not is_posted:
            self.unposted[currency] += sign * amount_minor


def _ours(session: Session, merchant_id: int, page: Sequence[BankMovement]) -> Mapping[tuple[str, str], Ours]:
    """Return our rows by the bank's kind and id."""
    found: dict[tuple[str, str], Ours] = {}
    for kind, tables in TABLES.items():
        ids = {row.request_id for row in page if row.kind == kind}
        for table, suffix in tables:
            names = {name.removesuffix(suffix) for name in ids if name.endswith(suffix)}
            if names:
                statement = select(table).where(table.public_id.in_(names), table.merchant_id == merchant_id)
                for row in cast(Iterable[Ours], session.scalars(statement)):
                    found[kind, row.public_id + suffix] = row
    return found


def _captured(session: Session, attempts: Sequence[PaymentAttempt]) -> set[int]:
    """Return the attempts that have a capture; a late approval has none."""
    ids = {row.id for row in attempts}
    return set(session.scalars(select(Capture.attempt_id).where(Capture.attempt_id.in_(ids))))


def _reversals_of_sales(session: Session, attempts: Sequence[PaymentAttempt]) -> set[int]:
    reversals = {row.reversal_of: row.id for row in attempts if row.reversal_of}
    originals = session.scalars(
        select(PaymentAttempt.public_id).where(
            PaymentAttempt.public_id.in_(reversals), PaymentAttempt.kind == AttemptKind.SALE
        )
    )
    return {reversals[name] for name in originals}


def _given_back(session: Session, attempts: Sequence[PaymentAttempt]) -> set[str]:
    """Return the late approvals: attempts that ended otherwise, and whose return was begun or is done."""
    names = {row.public_id for row in attempts}
    statement = select(PaymentAttempt.reversal_of).where(PaymentAttempt.reversal_of.in_(names))
    return {name for name in session.scalars(statement) if name is not None}


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
