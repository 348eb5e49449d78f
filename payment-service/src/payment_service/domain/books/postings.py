"""Double entry: what each event in the life of money does to a merchant's books.

Every posting debits one account and credits another with the same amount, so the books add up to 0 by
construction. A hold posts nothing: nobody owes anybody anything yet.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol

from service_kit.db.rows import append_rows
from sqlalchemy.orm import Session

from payment_service.models.ledger import LedgerEntry
from payment_service.models.payment import Payment
from payment_service.values.statuses import EntryKind, LedgerAccount

A = LedgerAccount

# What each kind debits, and what it credits.
POSTINGS: Mapping[EntryKind, tuple[LedgerAccount, LedgerAccount]] = {
    EntryKind.CAPTURED: (A.PROVIDER_RECEIVABLE, A.MERCHANT_PAYABLE),
    EntryKind.REFUND_ASKED: (A.MERCHANT_PAYABLE, A.REFUNDS_IN_TRANSIT),
    EntryKind.REFUND_DONE: (A.REFUNDS_IN_TRANSIT, A.PROVIDER_RECEIVABLE),
    EntryKind.REFUND_FAILED: (A.REFUNDS_IN_TRANSIT, A.MERCHANT_PAYABLE),
    EntryKind.DISPUTE_OPENED: (A.MERCHANT_PAYABLE, A.DISPUTES),
    EntryKind.DISPUTE_WON: (A.DISPUTES, A.MERCHANT_PAYABLE),
    EntryKind.DISPUTE_LOST: (A.DISPUTES, A.PROVIDER_RECEIVABLE),
}


class Source(Protocol):
    """What is posted: a capture, a refund or a dispute."""

    @property
    def public_id(self) -> str:
        """By what the entries name it."""
        ...

    @property
    def provider(self) -> str:
        """Who moves the money."""
        ...

    @property
    def amount_minor(self) -> int:
        """How much."""
        ...

    @property
    def currency(self) -> str:
        """Of what."""
        ...


def post_capture(session: Session, payment: Payment, capture: Source, at: datetime) -> None:
    """The provider took the money: it owes it to us, and we owe it to the merchant."""
    _post(session, EntryKind.CAPTURED, payment, capture, at)


def post_refund_asked(session: Session, payment: Payment, refund: Source, at: datetime) -> None:
    """The merchant gives it up; it is on its way to the cardholder."""
    _post(session, EntryKind.REFUND_ASKED, payment, refund, at)


def post_refund_done(session: Session, payment: Payment, refund: Source, at: datetime) -> None:
    """The provider gave it back: it owes that much less."""
    _post(session, EntryKind.REFUND_DONE, payment, refund, at)


def post_refund_failed(session: Session, payment: Payment, refund: Source, at: datetime) -> None:
    """It surely did not go back: the merchant has it again."""
    _post(session, EntryKind.REFUND_FAILED, payment, refund, at)


def post_dispute_opened(session: Session, payment: Payment, dispute: Source, at: datetime) -> None:
    """The cardholder's bank wants it back: nobody has it until that is decided."""
    _post(session, EntryKind.DISPUTE_OPENED, payment, dispute, at)


def post_dispute_won(session: Session, payment: Payment, dispute: Source, at: datetime) -> None:
    """The merchant keeps it."""
    _post(session, EntryKind.DISPUTE_WON, payment, dispute, at)


def post_dispute_lost(session: Session, payment: Payment, dispute: Source, at: datetime) -> None:
    """It went back to the cardholder: the provider owes that much less."""
    _post(session, EntryKind.DISPUTE_LOST, payment, dispute, at)


def _post(session: Session, kind: EntryKind, payment: Payment, source: Source, at: datetime) -> None:
    """Write both sides at the end of the transaction; the caller holds the payment's lock.

    What was posted before breaks a constraint there, and nothing of the transaction is stored.
    """
    append_rows(session, LedgerEntry, entries_of(kind, payment.merchant_id, payment.id, source, at))


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
