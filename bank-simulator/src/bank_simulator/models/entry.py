"""The ledger: append-only, and every transfer adds up to zero."""

from service_kit.db.columns import BigId
from sqlalchemy import BigInteger, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from bank_simulator.models.account import Account
from bank_simulator.models.base import Base
from bank_simulator.models.network_request import NetworkRequest


class Entry(Base):
    """One side of a transfer: positive is money that comes in.

    It belongs to a request or to a dispute; an opening deposit belongs to neither.
    """

    __tablename__ = "entries"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    request_row_id: Mapped[int | None] = mapped_column(ForeignKey(NetworkRequest.id), index=True)
    dispute_row_id: Mapped[int | None] = mapped_column(BigId, index=True)
    account_id: Mapped[int] = mapped_column(ForeignKey(Account.id), index=True)
    amount_minor: Mapped[int] = mapped_column(BigInteger)
