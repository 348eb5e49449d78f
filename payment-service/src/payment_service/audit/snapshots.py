"""Adds up all entries again: each merchant's books come to 0, and snapshots are what they summarise."""

from collections import defaultdict

from sqlalchemy import case, func, select

from payment_service.audit.findings import Advance, Findings
from payment_service.extensions import db
from payment_service.models.ledger import BalanceSnapshot, LedgerEntry
from payment_service.models.merchant import Merchant

BATCH = 20_000
Account = tuple[int, str, str, str]


def verify_snapshots(findings: Findings, advance: Advance) -> None:
    """Go through all entries once; ``advance`` gets how many ids were gone through.

    Entries up to a snapshot's id do not change any more, so nothing need stand still meanwhile.
    """
    with db.reading() as session:
        snapshots = {
            (row.merchant_id, row.account, row.provider, row.currency): row
            for row in session.scalars(select(BalanceSnapshot))
        }
        merchants = {
            row.id: row.public_id for row in session.execute(select(Merchant.id, Merchant.public_id))
        }
        last_id = session.scalar(select(func.max(LedgerEntry.id))) or 0
    head = max((row.up_to_id for row in snapshots.values()), default=0)
    summed: dict[Account, int] = defaultdict(int)
    totals: dict[tuple[int, str, str], int] = defaultdict(int)
    for first in range(1, last_id + 1, BATCH):
        for key, total, covered in _sums(first, min(first + BATCH - 1, last_id), head):
            merchant_id, _, provider, currency = key
            totals[merchant_id, provider, currency] += total
            summed[key] += covered
        advance(min(BATCH, last_id + 1 - first))
    for (merchant_id, provider, currency), total in totals.items():
        if total:
            name = f"merchant {merchants[merchant_id]}, {provider}, {currency}"
            findings.differences.append(f"{name}: all entries add up to {total}, not to 0")
    for key in sorted(summed.keys() | snapshots.keys()):
        merchant_id, account, provider, currency = key
        held = snapshots[key].amount_minor if key in snapshots else 0
        if held != summed[key]:
            name = f"merchant {merchants[merchant_id]}, {account} ({provider}, {currency})"
            findings.differences.append(
                f"{name}: the snapshot says {held}, its entries up to {head} add up to {summed[key]}"
            )


def _sums(first_id: int, last_id: int, head: int) -> list[tuple[Account, int, int]]:
    """Return the sums by account: of all entries of the range, and of those up to ``head``."""
    account = (LedgerEntry.merchant_id, LedgerEntry.account, LedgerEntry.provider, LedgerEntry.currency)
    covered = case((LedgerEntry.id <= head, LedgerEntry.amount_minor), else_=0)
    statement = (
        select(*account, func.sum(LedgerEntry.amount_minor), func.sum(covered))
        .where(LedgerEntry.id.between(first_id, last_id))
        .group_by(*account)
    )
    with db.reading() as session:
        return [
            ((merchant_id, name, provider, currency), int(total), int(summed))
            for merchant_id, name, provider, currency, total, summed in session.execute(statement)
        ]
