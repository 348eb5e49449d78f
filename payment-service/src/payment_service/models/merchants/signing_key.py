"""Signing keys: what access tokens are signed with, one after the other."""

from datetime import datetime

from service_kit.columns import BigId, UtcDateTime, ascii_key
from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

from payment_service.models.base import Base


class SigningKey(Base):
    """One key pair. It is published from ``created_at`` and signs from ``activated_at`` to ``retired_at``.

    After that it stays published until its last token has expired. The private half is encrypted; the
    public one is stored as it is published.
    """

    __tablename__ = "signing_keys"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    kid: Mapped[str] = mapped_column(ascii_key(64), unique=True)
    algorithm: Mapped[str] = mapped_column(String(16))
    public_jwk: Mapped[str] = mapped_column(Text)
    sealed_private_jwk: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    activated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    retired_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
