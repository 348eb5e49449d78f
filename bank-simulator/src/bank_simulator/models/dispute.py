"""Captured payments that cardholders contest at their bank."""

from datetime import datetime

from service_kit.db.columns import BigId, UtcDateTime, ascii_key, enum_column
from sqlalchemy import BigInteger, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from bank_simulator.models.base import Base
from bank_simulator.models.network_request import NetworkRequest
from bank_simulator.values.vocabulary import DisputeReason, DisputeStatus


class Dispute(Base):
    """A dispute about part or all of a sale or authorisation; closed once, as won or lost by the merchant.

    ``request_id``, where the request that opened it had one, and ``fingerprint``, the HMAC of its parameters,
    recognise a repetition.
    """

    __tablename__ = "disputes"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    dispute_id: Mapped[str] = mapped_column(ascii_key(64), unique=True)
    request_id: Mapped[str | None] = mapped_column(ascii_key(64), index=True, unique=True)
    fingerprint: Mapped[str | None] = mapped_column(ascii_key(64))
    original_row_id: Mapped[int] = mapped_column(ForeignKey(NetworkRequest.id), index=True)
    original_request_id: Mapped[str] = mapped_column(ascii_key(64))
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(ascii_key(3))
    reason: Mapped[DisputeReason] = mapped_column(enum_column(DisputeReason, 32))
    status: Mapped[DisputeStatus] = mapped_column(enum_column(DisputeStatus, 8))
    opened_at: Mapped[datetime] = mapped_column(UtcDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
