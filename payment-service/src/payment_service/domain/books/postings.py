"""Double entry: what each event in the life of money does to a merchant's books.

Every posting debits one account and credits another with the same amount, so the books add up to 0 by
construction. A hold posts nothing: nobody owes anybody anything yet.
"""

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any, Protocol

from service_kit.db.rows import append_rows
from sqlalchemy.orm import Session

from payment_service.models.ledger import LedgerEntry
from payment_service.models.payment import Payment
from payment_service.values.statuses import EntryKind, LedgerAccount

A = LedgerAccount

# What each kind debits, and what it credits.
POSTINGS: Mapping[EntryKind, tuple[LedgerAccount, LedgerAccount]] = {
    # The provider took the money: it owes it to us, and we owe it to the merchant.
    EntryKind.CAPTURED: (A.PROVIDER_RECEIVABLE, A.MERCHANT_PAYABLE),
    # The merchant gives it up; it is on its way to the cardholder.
    EntryKind.REFUND_ASKED: (A.MERCHANT_PAYABLE, A.REFUNDS_IN_TRANSIT),
    # The provider gave it back: it owes that much less.
    EntryKind.REFUND_DONE: (A.REFUNDS_IN_TRANSIT, A.PROVIDER_RECEIVABLE),
    # It surely did not go back: the merchant has it again.
    EntryKind.REFUND_FAILED: (A.REFUNDS_IN_TRANSIT, A.MERCHANT_PAYABLE),
    # The cardholder's bank wants it back: nobody has it until that is decided.
    EntryKind.DISPUTE_OPENED: (A.MERCHANT_PAYABLE, A.DISPUTES),
    # The merchant keeps it.
    EntryKind.DISPUTE_WON: (A.DISPUTES, A.MERCHANT_PAYABLE),
    # It went back to the cardholder: the provider owes that much less.
    EntryKind.DISPUTE_LOST: (A.DISPUTES, A.PROVIDER_RECEIVABLE),
}


class Source(Protocol):
    """What is posted, and named by the entries: a capture, a refund or a dispute."""

    @property
    def public_id(self) -> str: ...
    @property
    def provider(self) -> str: ...
    @property
    def amount_minor(self) -> int: ...
    @property
    def currency(self) -> str: ...


def _post(kind: EntryKind, session: Session, payment: Payment, source: Source, at: datetime) -> None:
    """Write both sides at the end of the transaction; the caller holds the payment's lock.

    What was posted before breaks a constraint there, and nothing of the transaction is stored.
    """
    append_rows(session, LedgerEntry, entries_of(kind, payment.merchant_id, payment.id, source, at))


post_capture = partial(_post, EntryKind.CAPTURED)
post_refund_asked = partial(_post, EntryKind.REFUND_ASKED)
post_refund_done = partial(_post, EntryKind.REFUND_DONE)
post_refund_failed = partial(_post, EntryKind.REFUND_FAILED)
post_dispute_opened = partial(_post, EntryKind.DISPUTE_OPENED)
post_dispute_won = partial(_post, EntryKind.DISPUTE_WON)
post_dispute_lost = partial(_post, EntryKind.DISPUTE_LOST)


def entries_of(
    kind: EntryKind, merchant_id: int, payment_id: int, source: Source, at: datetime
) -> list[dict[str, Any]]:
    """Return both sides of a posting as rows, the debit first.

    Raises:
        ValueError: the amount is not positive; the kind alone says which way money goes.
    """
    if source.amount_minor <= 0:
        raise ValueError(f"{source.public_id} cannot be posted: its amount is {source.amount_minor}.")
    debit, credit = POSTINGS[kind]
    common = {
        "merchant_id": merchant_id,
        "payment_id": payment_id,
        "provider": source.provider,
        "currency": source.currency,
        "source": source.public_id,
        "kind": kind.value,
        "posted_at": at,
    }
    # A unit of work that runs again makes the same ids.
    return [
        {
            **common,
            "public_id": f"ent_{source.public_id}_{kind.value}_{side}",
            "account": account.value,
            "amount_minor": sign * source.amount_minor,
        }
        for side, account, sign in (("d", debit, 1), ("c", credit, -1))
    ]
