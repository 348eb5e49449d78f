"""Merchants: whose money it is."""

from datetime import datetime

from service_kit.columns import BigId, UtcDateTime, ascii_key
from sqlalchemy import String, text
from sqlalchemy.orm import Mapped, mapped_column

from payment_service.models.base import Base

LAB_MERCHANT_ID = "mer_lab"


class Merchant(Base):
    """A shop that takes payments through us; it owns everything that it creates.

    ``name`` is what payers know it by. ``legal_name``, ``address`` (its lines, a newline between) and
    ``tax_number`` are what the law wants on a receipt.
    """

    __tablename__ = "merchants"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    public_id: Mapped[str] = mapped_column(ascii_key(64), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    legal_name: Mapped[str] = mapped_column(String(200), server_default=text("''"))
    address: Mapped[str] = mapped_column(String(500), server_default=text("''"))
    tax_number: Mapped[str] = mapped_column(String(64), server_default=text("''"))
    locale: Mapped[str] = mapped_column(String(8))
    currency: Mapped[str] = mapped_column(String(3))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
