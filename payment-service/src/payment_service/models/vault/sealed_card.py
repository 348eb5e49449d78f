"""Sealed cards: the only rows that hold a card number, and only encrypted."""

from datetime import datetime

from service_kit.columns import BigId, UtcDateTime, ascii_key
from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from payment_service.models.base import Base


class SealedCard(Base):
    """One card, encrypted with a data key of its own, which is encrypted ("wrapped") with the key ``key_id``.

    ``owner`` is the public id of what the card is kept for, an attempt (``att_…``) or a payment method
    (``pm_…``). ``wrapped_key`` and ``sealed`` are base64 of a nonce and what AES-256-GCM made of it. The
    number cannot be read without VAULT_KEYS, which is not in the database; there is no CVV in it.
    """

    __tablename__ = "sealed_cards"
    __table_args__ = (Index(None, "key_id", "id"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    owner: Mapped[str] = mapped_column(ascii_key(64), unique=True)
    purpose: Mapped[str] = mapped_column(String(24))
    merchant_id: Mapped[int] = mapped_column(BigId, ForeignKey("merchants.id"))
    key_id: Mapped[str] = mapped_column(ascii_key(32))
    wrapped_key: Mapped[str] = mapped_column(String(100))
    sealed: Mapped[str] = mapped_column(String(255))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
