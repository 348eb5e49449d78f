"""Attempts: every movement of money that was ever begun, one row each, written before it is sent."""

from datetime import datetime

from service_kit.columns import BigId, UtcDateTime, ascii_key
from sqlalchemy import BigInteger, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from payment_service.models.base import Base
from payment_service.values.money import Money
from payment_service.values.statuses import MovementState


class PaymentAttempt(Base):
    """One sale, or the automatic reversal of a late approval.

    ``public_id`` is the idempotency key at the provider. ``claimed_from`` is the state to which the payment
    returns when this attempt surely took nothing. ``send_before`` is the last moment (UTC) at which its
    sender may begin the call. ``next_ask_at`` is when the janitor asks the provider, empty once it has ended.
    """

    __tablename__ = "payment_attempts"
    __table_args__ = (
        UniqueConstraint("payment_id", "form_key"),
        Index(None, "next_ask_at"),
        Index(None, "payment_id", "id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    public_id: Mapped[str] = mapped_column(ascii_key(64), unique=True)
    merchant_id: Mapped[int] = mapped_column(BigId, ForeignKey("merchants.id"))
    payment_id: Mapped[int] = mapped_column(BigId, ForeignKey("payments.id"))
    kind: Mapped[str] = mapped_column(String(16))
    state: Mapped[str] = mapped_column(String(16))
    claimed_from: Mapped[str] = mapped_column(String(24))
    provider: Mapped[str] = mapped_column(String(32))
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    reversal_of: Mapped[str | None] = mapped_column(ascii_key(64), unique=True)
    form_key: Mapped[str | None] = mapped_column(ascii_key(64))
    card_fingerprint: Mapped[str | None] = mapped_column(ascii_key(64))
    card_bin: Mapped[str | None] = mapped_column(String(6))
    card_last4: Mapped[str | None] = mapped_column(String(4))
    fraud_decision: Mapped[str | None] = mapped_column(String(16))
    fraud_reasons: Mapped[str | None] = mapped_column(Text)
    decline_code: Mapped[str | None] = mapped_column(String(40))
    authorization_code: Mapped[str | None] = mapped_column(String(40))
    last_error: Mapped[str | None] = mapped_column(String(255))
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    send_before: Mapped[datetime] = mapped_column(UtcDateTime)
    next_ask_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ask_count: Mapped[int] = mapped_column(default=0)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    @property
    def amount(self) -> Money:
        """What is moved."""
        return Money(self.amount_minor, self.currency)

    @property
    def is_open(self) -> bool:
        """Whether its outcome is still to come."""
        return MovementState(self.state).is_open
