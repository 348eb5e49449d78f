"""Lists the entries of a merchant's books."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from payment_service.domain.payments.references import MerchantPayment
from payment_service.domain.positions import ENTRIES
from payment_service.extensions import db
from payment_service.models.ledger import LedgerEntry
from payment_service.models.payment import Payment
from payment_service.queries.pagination import Conditions, Listing, Page, PageRequest, limited, read_page
from payment_service.queries.positions import read_log_page

_CONDITIONS: Conditions = {
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
    """Return a page of the merchant's entries, or of one payment's, newest first.

    The other filters are those of ``_CONDITIONS``. An entry that has no position yet is in no list but its
    payment's: see ``give_positions``.

    Raises:
        CursorUnknown: the merchant has no entry with the id of the cursor.
    """
    with db.reading() as session:
        if payment is None:
            found = read_log_page(session, ENTRIES, merchant_id, page, **filters)
        else:
            # Read first, so that the plan is a look-up by a number. No payment has the id 0.
            owned = LedgerEntry.payment_id == (MerchantPayment(merchant_id, payment).find_id(session) or 0)
            # Under the payment's lock, ids commit in their order.
            listing = Listing((LedgerEntry.id,), LedgerEntry.public_id, owned)
            found = read_page(session, limited(select(LedgerEntry), filters, _CONDITIONS), listing, page)
        payments = {entry.payment_id for entry in found.rows}
        named = session.execute(select(Payment.id, Payment.public_id).where(Payment.id.in_(payments)))
        names = {row.id: row.public_id for row in named}
    rows = [ListedEntry(entry, names[entry.payment_id]) for entry in found.rows]
    return Page(rows, found.has_more)
