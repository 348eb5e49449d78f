"""Payment methods: cards that a merchant asked us to store, without their numbers."""

from datetime import datetime

from service_kit.columns import BigId, UtcDateTime, ascii_key, exact_text
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
