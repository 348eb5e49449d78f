"""Lists the entries of a merchant's books."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from payment_service.extensions import db
from payment_service.models.ledger import LedgerEntry
from payment_service.models.payment import Payment
from payment_service.queries.pagination import Listing, Page, PageRequest, given, read_page
from payment_service.values.statuses import EntryKind, LedgerAccount


@dataclass(frozen=True, slots=True)
class EntryFilter:
    """What a list of entries is limited to; ``created_to`` is not included."""

    payment: str | None = None
    account: LedgerAccount | None = None
    kind: EntryKind | None = None
    created_from: datetime | None = None
    created_to: datetime | None = None


@dataclass(frozen=True, slots=True)
class ListedEntry:
    entry: LedgerEntry
    payment: str


def list_entries(merchant_id: int, wanted: EntryFilter, page: PageRequest) -> Page[ListedEntry]:
    """Return a page of the merchant's entries, newest first.

    Raises:
        CursorUnknown: the merchant has no entry with the id of the cursor.
    """
    listing = Listing(
        (LedgerEntry.posted_at, LedgerEntry.id), LedgerEntry.public_id, LedgerEntry.merchant_id == merchant_id
    )
    with db.reading() as session:
        found = read_page(session, _statement(session, merchant_id, wanted), listing, page)
        payments = {entry.payment_id for entry in found.rows}
        named = session.execute(select(Payment.id, Payment.public_id).where(Payment.id.in_(payments)))
        names = {row.id: row.public_id for row in named}
    rows = [ListedEntry(entry, names[entry.payment_id]) for entry in found.rows]
    return Page(rows, found.has_more)


def _statement(session: Session, merchant_id: int, wanted: EntryFilter) -> Select[LedgerEntry]:
    statement = select(LedgerEntry).filter_by(**given(account=wanted.account, kind=wanted.kind))
    if wanted.payment is not None:
        # Read first, so that the plan is a look-up by a number. No payment has the id 0.
        payment_id = session.scalar(
            select(Payment.id).where(Payment.public_id == wanted.payment, Payment.merchant_id == merchant_id)
        )
        statement = statement.where(LedgerEntry.payment_id == (payment_id or 0))
    if wanted.created_from is not None:
        statement = statement.where(LedgerEntry.posted_at >= wanted.created_from)
    if wanted.created_to is not None:
        statement = statement.where(LedgerEntry.posted_at < wanted.created_to)
    return statement
