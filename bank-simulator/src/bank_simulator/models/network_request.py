"""Everything the network was asked, with its answer."""

from datetime import datetime

from service_kit.columns import BigId, UtcDateTime, ascii_key, enum_column
from sqlalchemy import BigInteger, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from bank_simulator.models.base import Base
from bank_simulator.models.card import Card
from bank_simulator.values.vocabulary import DeclineCode, Holding, RequestKind, Status


class NetworkRequest(Base):
    """A request and its final answer; ``request_id`` is unique, which makes every operation idempotent.

    A tombstone (status abandoned) has no kind, fingerprint and amount. ``released_minor`` is what a capture
    or a void gave back to the cardholder out of the hold. The columns from ``holding`` on belong to approved
    sales and authorisations; they change, under the row's lock, when such a request is captured, voided
    or refunded.
    """

    __tablename__ = "network_requests"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    request_id: Mapped[str] = mapped_column(ascii_key(64), unique=True)
    kind: Mapped[RequestKind | None] = mapped_column(enum_column(RequestKind, 32))
    status: Mapped[Status] = mapped_column(enum_column(Status, 32))
    decline_code: Mapped[DeclineCode | None] = mapped_column(enum_column(DeclineCode, 32))
    fingerprint: Mapped[str | None] = mapped_column(ascii_key(64))
    authorization_code: Mapped[str | None] = mapped_column(ascii_key(6))
    amount_minor: Mapped[int | None] = mapped_column(BigInteger)
    currency: Mapped[str | None] = mapped_column(ascii_key(3))
    merchant_id: Mapped[str | None] = mapped_column(ascii_key(64), index=True)
    order_id: Mapped[str | None] = mapped_column(ascii_key(64))
    card_id: Mapped[int | None] = mapped_column(ForeignKey(Card.id))
    original_row_id: Mapped[int | None] = mapped_column(ForeignKey("network_requests.id"), index=True)
    released_minor: Mapped[int] = mapped_column(BigInteger, default=0)
    processed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    holding: Mapped[Holding | None] = mapped_column(enum_column(Holding, 32))
    held_minor: Mapped[int] = mapped_column(BigInteger, default=0)
    captured_minor: Mapped[int] = mapped_column(BigInteger, default=0)
    refunded_minor: Mapped[int] = mapped_column(BigInteger, default=0)
