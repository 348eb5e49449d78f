"""Sums of the books' older entries, so that a balance need not add up all of them."""

from datetime import datetime

from service_kit.columns import BigId, UtcDateTime
from sqlalchemy import BigInteger, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from payment_service.models.base import Base


class BalanceSnapshot(Base):
    """The sum of one account's entries with an id up to ``up_to_id``; only the snapshot job writes it.

    A balance is its merchant's snapshots and the entries after the largest ``up_to_id`` among them: an
    account whose own is smaller had no entries in between.
    """

    __tablename__ = "balance_snapshots"
    __table_args__ = (UniqueConstraint("merchant_id", "account", "provider", "currency"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    merchant_id: Mapped[int] = mapped_column(BigId, ForeignKey("merchants.id"))
    account: Mapped[str] = mapped_column(String(24))
    provider: Mapped[str] = mapped_column(String(32))
    currency: Mapped[str] = mapped_column(String(3))
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    up_to_id: Mapped[int] = mapped_column(BigInteger, index=True)
    taken_at: Mapped[datetime] = mapped_column(UtcDateTime)
