"""Merchants: whose money it is."""

from datetime import datetime

from service_kit.db.columns import BigId, UtcDateTime, ascii_key
from sqlalchemy import ForeignKey, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from payment_service.models.base import Base
from payment_service.values.scopes import Scope, parse_scopes

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


LAB_CLIENT_ID = "cli_lab"


class ApiClient(Base):
    """One program. Two secrets may be valid at once, so that one can be replaced without an outage.

    Secrets are stored as HMAC only. ``previous_expires_at`` is when the one before the last rotation ends.
    """

    __tablename__ = "api_clients"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    client_id: Mapped[str] = mapped_column(ascii_key(64), unique=True)
    merchant_id: Mapped[int] = mapped_column(BigId, ForeignKey("merchants.id"))
    name: Mapped[str] = mapped_column(String(200))
    scopes: Mapped[str] = mapped_column(String(500))
    secret_hash: Mapped[str] = mapped_column(ascii_key(64))
    previous_secret_hash: Mapped[str | None] = mapped_column(ascii_key(64))
    previous_expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    disabled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    @property
    def granted(self) -> frozenset[Scope]:
        """What its tokens may do at most."""
        return parse_scopes(self.scopes)

    def secret_hashes(self, now: datetime) -> tuple[str, ...]:
        """Return the HMACs of the secrets that are valid at ``now``, the newest first."""
        if self.previous_secret_hash is None or self.previous_expires_at is None:
            return (self.secret_hash,)
        return (self.secret_hash, self.previous_secret_hash)[: 2 if now < self.previous_expires_at else 1]

    def rotate_secret(self, secret_hash: str, previous_expires_at: datetime) -> None:
        """Take a new secret; the present one ends at ``previous_expires_at``, an older one now."""
        self.previous_secret_hash, self.previous_expires_at = self.secret_hash, previous_expires_at
        self.secret_hash = secret_hash


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
