"""The books: entries are added and never changed."""

from datetime import datetime

from service_kit.db.columns import BigId, UtcDateTime, ascii_key, enum_column
from sqlalchemy import BigInteger, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from payment_service.models.base import Base
from payment_service.values.statuses import EntryKind, LedgerAccount


class LedgerEntry(Base):
    """One side of a posting. ``amount_minor`` is a debit where positive; a posting's two sides add up to 0.

    ``source`` is the public id of the capture, refund or dispute of which it tells; the same posting twice
    is refused by the database. Ids commit out of order: see domain/books/snapshots.py.
    """

    __tablename__ = "ledger_entries"
    __table_args__ = (
        UniqueConstraint("source", "kind", "account"),
        Index(None, "payment_id", "id"),
        Index(None, "merchant_id", "posted_at", "id"),
        Index(None, "merchant_id", "account", "posted_at", "id"),
        Index(None, "merchant_id", "kind", "posted_at", "id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    public_id: Mapped[str] = mapped_column(ascii_key(64), unique=True)
    merchant_id: Mapped[int] = mapped_column(BigId, ForeignKey("merchants.id"))
    account: Mapped[LedgerAccount] = mapped_column(enum_column(LedgerAccount, 24))
    provider: Mapped[str] = mapped_column(String(32))
    currency: Mapped[str] = mapped_column(String(3))
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    payment_id: Mapped[int] = mapped_column(BigId, ForeignKey("payments.id"))
    source: Mapped[str] = mapped_column(ascii_key(64))
    kind: Mapped[EntryKind] = mapped_column(enum_column(EntryKind, 24))
    posted_at: Mapped[datetime] = mapped_column(UtcDateTime)

    @property
    def balance_minor(self) -> int:
        """By how much it changed its account's balance."""
        return self.account.balance_minor(self.amount_minor)


class BalanceSnapshot(Base):
    """The sum of one account's entries with an id up to ``up_to_id``; only the snapshot job writes it.

    A balance is its merchant's snapshots and the entries after the largest ``up_to_id`` among them: an
    account whose own is smaller had no entries in between.
    """

    __tablename__ = "balance_snapshots"
    __table_args__ = (UniqueConstraint("merchant_id", "account", "provider", "currency"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    merchant_id: Mapped[int] = mapped_column(BigId, ForeignKey("merchants.id"))
    account: Mapped[LedgerAccount] = mapped_column(enum_column(LedgerAccount, 24))
    provider: Mapped[str] = mapped_column(String(32))
    currency: Mapped[str] = mapped_column(String(3))
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    up_to_id: Mapped[int] = mapped_column(BigInteger, index=True)
    taken_at: Mapped[datetime] = mapped_column(UtcDateTime)
