"""Payment methods: cards that a merchant asked us to store, without their numbers."""

from datetime import datetime

from service_kit.db.columns import BigId, UtcDateTime, ascii_key, exact_text
from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from payment_service.models.base import Base


class PaymentMethod(Base):
    """What may be shown of a stored card (PCI DSS 3.4.1); its number is sealed under the same public id.

    ``customer_id`` is the merchant's own name for the customer. Once detached it cannot pay any more, and
    its number is gone.
    """

    __tablename__ = "payment_methods"
    __table_args__ = (
        Index(None, "merchant_id", "detached_at", "id"),
        Index(None, "merchant_id", "customer_id", "detached_at", "id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    public_id: Mapped[str] = mapped_column(ascii_key(64), unique=True)
    merchant_id: Mapped[int] = mapped_column(BigId, ForeignKey("merchants.id"))
    customer_id: Mapped[str | None] = mapped_column(exact_text(64))
    card_brand: Mapped[str] = mapped_column(String(16))
    card_bin: Mapped[str] = mapped_column(String(6))
    card_last4: Mapped[str] = mapped_column(String(4))
    exp_month: Mapped[int]
    exp_year: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    detached_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


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
