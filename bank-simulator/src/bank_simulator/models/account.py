"""Accounts of the ledger."""

from service_kit.db.columns import BigId, ascii_key, enum_column
from sqlalchemy import BigInteger, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from bank_simulator.models.base import Base
from bank_simulator.values.vocabulary import AccountKind, Bank


class Account(Base):
    """An account in one currency; ``owner`` is a card's id, a merchant's id, or the bank's name.

    ``balance_minor`` is kept only where it limits something: for cardholders without unlimited overdraft,
    whose row is locked while they spend. Elsewhere it is None and the balance is the sum of the entries,
    so that no row is a queue for everybody (a merchant's would be).
    """

    __tablename__ = "accounts"
    __table_args__ = (UniqueConstraint("kind", "owner", "currency", name="uq_accounts_kind_owner_currency"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    kind: Mapped[AccountKind] = mapped_column(enum_column(AccountKind, 32))
    owner: Mapped[str] = mapped_column(ascii_key(64))
    currency: Mapped[str] = mapped_column(ascii_key(3))
    bank: Mapped[Bank] = mapped_column(enum_column(Bank, 32))
    balance_minor: Mapped[int | None] = mapped_column(BigInteger)
