"""API clients: the programs of a merchant that may ask for access tokens."""

from datetime import datetime

from service_kit.columns import BigId, UtcDateTime, ascii_key
from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from payment_service.models.base import Base
from payment_service.values.scopes import Scope, parse_scopes

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
