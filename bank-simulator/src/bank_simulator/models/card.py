"""Cards that client banks issued."""

from service_kit.db.columns import BigId, ascii_key, enum_column
from sqlalchemy import BigInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from bank_simulator.models.base import Base
from bank_simulator.values.vocabulary import Bank, CardBehaviour, CardholderCheck


class Card(Base):
    """A card; its accounts (one per currency) open at first use.

    ``opening_minor`` is what each of them opens with; None means an overdraft without limit.
    """

    __tablename__ = "cards"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    number: Mapped[str] = mapped_column(ascii_key(19), unique=True)
    bank: Mapped[Bank] = mapped_column(enum_column(Bank, 32))
    exp_year: Mapped[int]
    exp_month: Mapped[int]
    cvv_hash: Mapped[str] = mapped_column(ascii_key(64))
    behaviour: Mapped[CardBehaviour] = mapped_column("manner", enum_column(CardBehaviour, 32))
    cardholder_check: Mapped[CardholderCheck] = mapped_column(
        enum_column(CardholderCheck, 32),
        default=CardholderCheck.RISK_BASED,
        server_default=text("'risk_based'"),
    )
    opening_minor: Mapped[int | None] = mapped_column(BigInteger)
