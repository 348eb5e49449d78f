"""What every movement of money has: attempt, capture, void, refund."""

from datetime import datetime

from service_kit.db.columns import BigId, UtcDateTime, ascii_key, enum_column
from sqlalchemy import BigInteger, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from payment_service.models.base import Base
from payment_service.values.money import Money
from payment_service.values.statuses import AttemptKind, MovementState, PaymentStatus, VoidPurpose


class Movement:
    """Columns of one movement; its row is written before it is sent.

    ``public_id`` is the idempotency key at the provider. ``send_before`` is the last moment (UTC) at which
    its sender may begin the call. ``next_ask_at`` is when the janitor asks the provider what became of it,
    empty once it has ended. The table needs ``Index(None, "next_ask_at")``.
    """

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    public_id: Mapped[str] = mapped_column(ascii_key(64), unique=True)
    merchant_id: Mapped[int] = mapped_column(BigId, ForeignKey("merchants.id"))
    payment_id: Mapped[int] = mapped_column(BigId, ForeignKey("payments.id"))
    state: Mapped[MovementState] = mapped_column(enum_column(MovementState, 16))
    provider: Mapped[str] = mapped_column(String(32))
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    decline_code: Mapped[str | None] = mapped_column(String(40))
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
        return self.state.is_open


class Capture(Movement, Base):
    """All or part of what ``attempt_id`` may take. A sale writes its own, approved at once."""

    __tablename__ = "captures"
    __table_args__ = (Index(None, "next_ask_at"), Index(None, "payment_id", "id"))

    attempt_id: Mapped[int] = mapped_column(BigId, ForeignKey("payment_attempts.id"))
    is_final: Mapped[bool]


class PaymentAttempt(Movement, Base):
    """One sale or authorisation, or the automatic reversal of a late approval.

    ``claimed_from`` is the state to which the payment returns when this attempt surely took nothing.
    ``next_action_url`` is where the cardholder proves who they are (3-D Secure), and ``return_token`` is
    by what their browser's return is recognised. ``held_at`` is when it
    began to wait for a review. ``liability`` says who bears a fraudulent payment.
    """

    __tablename__ = "payment_attempts"
    __table_args__ = (
        UniqueConstraint("payment_id", "form_key"),
        Index(None, "next_ask_at"),
        Index(None, "payment_id", "id"),
    )

    kind: Mapped[AttemptKind] = mapped_column(enum_column(AttemptKind, 16))
    claimed_from: Mapped[PaymentStatus] = mapped_column(enum_column(PaymentStatus, 24))
    reversal_of: Mapped[str | None] = mapped_column(ascii_key(64), unique=True)
    form_key: Mapped[str | None] = mapped_column(ascii_key(64))
    payment_method: Mapped[str | None] = mapped_column(ascii_key(64))
    card_fingerprint: Mapped[str | None] = mapped_column(ascii_key(64))
    card_bin: Mapped[str | None] = mapped_column(String(6))
    card_last4: Mapped[str | None] = mapped_column(String(4))
    fraud_decision: Mapped[str | None] = mapped_column(String(16))
    fraud_reasons: Mapped[str | None] = mapped_column(Text)
    held_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    authorization_code: Mapped[str | None] = mapped_column(String(40))
    three_ds_status: Mapped[str | None] = mapped_column(String(24))
    three_ds_eci: Mapped[str | None] = mapped_column(String(2))
    liability: Mapped[str | None] = mapped_column(String(16))
    next_action_url: Mapped[str | None] = mapped_column(Text)
    return_token: Mapped[str | None] = mapped_column(ascii_key(64), index=True, unique=True)


class Refund(Movement, Base):
    """All or part of what the attempt ``attempt_id`` took, given back because of ``reason``."""

    __tablename__ = "refunds"
    __table_args__ = (
        Index(None, "next_ask_at"),
        Index(None, "payment_id", "id"),
        Index(None, "merchant_id", "id"),
    )

    attempt_id: Mapped[int] = mapped_column(BigId, ForeignKey("payment_attempts.id"))
    reason: Mapped[str | None] = mapped_column(String(500))


class Void(Movement, Base):
    """The end of the hold of ``attempt_id``; ``amount_minor`` is what was still held. See VoidPurpose."""

    __tablename__ = "voids"
    __table_args__ = (Index(None, "next_ask_at"), Index(None, "payment_id", "id"))

    attempt_id: Mapped[int] = mapped_column(BigId, ForeignKey("payment_attempts.id"))
    purpose: Mapped[VoidPurpose] = mapped_column(enum_column(VoidPurpose, 16))
    reason: Mapped[str | None] = mapped_column(String(500))


AnyMovement = PaymentAttempt | Capture | Void | Refund
# What is done with an approved sale or hold.
FollowUp = Capture | Void | Refund
MOVEMENTS: tuple[type[AnyMovement], ...] = (PaymentAttempt, Capture, Void, Refund)
