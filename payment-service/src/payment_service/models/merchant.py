"""Merchants: whose money it is."""

from datetime import datetime

from service_kit.columns import BigId, UtcDateTime, ascii_key
from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from payment_service.models.base import Base

LAB_MERCHANT_ID = "mer_lab"


class Merchant(Base):
    """A shop that takes payments through us."""

    __tablename__ = "merchants"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    public_id: Mapped[str] = mapped_column(ascii_key(64), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    locale: Mapped[str] = mapped_column(String(8))
    currency: Mapped[str] = mapped_column(String(3))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
