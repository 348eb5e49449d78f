"""Lists the entries of a merchant's books."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from payment_service.domain.payments.references import MerchantPayment
from payment_service.extensions import db
from payment_service.models.ledger import LedgerEntry
from payment_service.models.payment import Payment
from payment_service.queries.pagination import Conditions, Listing, Page, PageRequest, limited, read_page

_CONDITIONS: Conditions = {
    "payment_id": lambda payment_id: LedgerEntry.payment_id == payment_id,
    "account": lambda account: LedgerEntry.account == account,
    "kind": lambda kind: LedgerEntry.kind == kind,
    "created_from": lambda moment: LedgerEntry.posted_at >= moment,
    "created_to": lambda moment: LedgerEntry.posted_at < moment,
}


@dataclass(frozen=True, slots=True)
class ListedEntry:
    entry: LedgerEntry
    payment: str


def list_entries(
    merchant_id: int, page: PageRequest, *, payment: str | None = None, **filters: Any
) -> Page[ListedEntry]:
    """Return a page of the merchant's entries, newest first.

    The filters, beside ``payment``, are those of ``_CONDITIONS``.

    Raises:
        CursorUnknown: the merchant has no entry with the id of the cursor.
    """
    listing = Listing(
        (LedgerEntry.posted_at, LedgerEntry.id), LedgerEntry.public_id, LedgerEntry.merchant_id == merchant_id
    )
    with db.reading() as session:
        if payment is not None:
            # Read first, so that the plan is a look-up by a number. No payment has the id 0.
            filters["payment_id"] = MerchantPayment(merchant_id, payment).find_id(session) or 0
        found = read_page(session, limited(select(LedgerEntry), filters, _CONDITIONS), listing, page)
        payments = {entry.payment_id for entry in found.rows}
        named = session.execute(select(Payment.id, Payment.public_id).where(Payment.id.in_(payments)))
        names = {row.id: row.public_id for row in named}
    rows = [ListedEntry(entry, names[entry.payment_id]) for entry in found.rows]
    return Page(rows, found.has_more)
