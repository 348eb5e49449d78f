"""Payments: what somebody owes for an order, and whether it was paid."""

from datetime import datetime

from service_kit.db.columns import BigId, UtcDateTime, ascii_key, enum_column, exact_text
from sqlalchemy import BigInteger, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from payment_service.models.base import Base, LongText
from payment_service.values.money import Money
from payment_service.values.statuses import CaptureMethod, PaymentStatus, Surface


class Payment(Base):
    """One payment. Its row is the lock under which everything about it is decided.

    ``id`` is the integer that the lab surface shows; ``expires_at`` is empty where it never expires,
    and is nearer while somebody must act (review, 3-D Secure); ``payable_until`` keeps what it was before.
    ``user_id`` is the merchant's own name for the customer. ``details`` is the merchant's JSON that we only
    keep: metadata, line items, the customer's name and phone. ``event_count`` and ``event_head`` close the
    chain of its events.

    The sums, in minor units, change under this row's lock: ``authorized_minor`` was approved to be taken,
    ``capturing_minor`` and ``refunding_minor`` are open movements, ``disputed_minor`` is in open disputes
    and ``charged_back_minor`` was lost in them.
    """

    __tablename__ = "payments"
    __table_args__ = (
        Index(None, "status", "expires_at"),
        Index(None, "merchant_id", "created_at", "id"),
        Index(None, "merchant_id", "status", "created_at", "id"),
        Index(None, "merchant_id", "order_id", "created_at", "id"),
        Index(None, "merchant_id", "user_id", "created_at", "id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    public_id: Mapped[str] = mapped_column(ascii_key(64), unique=True)
    merchant_id: Mapped[int] = mapped_column(BigId, ForeignKey("merchants.id"))
    surface: Mapped[Surface] = mapped_column(enum_column(Surface, 16), default=Surface.LAB)
    order_id: Mapped[str] = mapped_column(exact_text(64))
    user_id: Mapped[str] = mapped_column(exact_text(64))
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    capture_method: Mapped[CaptureMethod] = mapped_column(
        enum_column(CaptureMethod, 16), default=CaptureMethod.AUTOMATIC, server_default=text("'automatic'")
    )
    status: Mapped[PaymentStatus] = mapped_column(enum_column(PaymentStatus, 24))
    authorized_minor: Mapped[int] = mapped_column(BigInteger, default=0, server_default=text("0"))
    captured_minor: Mapped[int] = mapped_column(BigInteger, default=0, server_default=text("0"))
    capturing_minor: Mapped[int] = mapped_column(BigInteger, default=0, server_default=text("0"))
    refunded_minor: Mapped[int] = mapped_column(BigInteger, default=0, server_default=text("0"))
    refunding_minor: Mapped[int] = mapped_column(BigInteger, default=0, server_default=text("0"))
    disputed_minor: Mapped[int] = mapped_column(BigInteger, default=0, server_default=text("0"))
    charged_back_minor: Mapped[int] = mapped_column(BigInteger, default=0, server_default=text("0"))
    description: Mapped[str | None] = mapped_column(String(500))
    details: Mapped[str | None] = mapped_column(LongText)
    return_url: Mapped[str | None] = mapped_column(Text)
    checkout_token: Mapped[str | None] = mapped_column(ascii_key(64), index=True, unique=True)
    receipt_email: Mapped[str | None] = mapped_column(String(254))
    receipt_locale: Mapped[str] = mapped_column(String(8), default="fr")
    event_count: Mapped[int] = mapped_column(default=0)
    event_head: Mapped[str] = mapped_column(ascii_key(64), default="")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    payable_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    paid_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    @property
    def amount(self) -> Money:
        """What is owed."""
        return Money(self.amount_minor, self.currency)

    @property
    def captured(self) -> Money:
        """What was taken."""
        return Money(self.captured_minor, self.currency)

    @property
    def refunded(self) -> Money:
        """What was given back."""
        return Money(self.refunded_minor, self.currency)

    @property
    def is_paid(self) -> bool:
        """Whether the money was taken."""
        return self.status == PaymentStatus.COMPLETED

    @property
    def capturable_minor(self) -> int:
        """What is held and no capture, open ones included, has asked for."""
        if self.status not in {PaymentStatus.AUTHORIZED, PaymentStatus.PARTIALLY_CAPTURED}:
            return 0
        return self.authorized_minor - self.captured_minor - self.capturing_minor

    @property
    def refundable_minor(self) -> int:
        """What was captured and neither went back, nor is on its way back, nor is disputed.

        Below 0 where the cardholder disputes what was refunded.
        """
        gone_minor = self.refunded_minor + self.refunding_minor + self.disputed_minor
        return self.captured_minor - gone_minor - self.charged_back_minor

    @property
    def disputable_minor(self) -> int:
        """What was captured and is in no open or lost dispute, refunded or not."""
        return self.captured_minor - self.disputed_minor - self.charged_back_minor


class PaymentEvent(Base):
    """One event. ``body`` is the exact text that was hashed: a JSON column would re-order it."""

    __tablename__ = "payment_events"
    __table_args__ = (
        UniqueConstraint("payment_id", "sequence"),
        Index(None, "merchant_id", "created_at", "id"),
        Index(None, "merchant_id", "type", "created_at", "id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    public_id: Mapped[str] = mapped_column(ascii_key(64), unique=True)
    merchant_id: Mapped[int] = mapped_column(BigId, ForeignKey("merchants.id"))
    payment_id: Mapped[int] = mapped_column(BigId, ForeignKey("payments.id"))
    sequence: Mapped[int]
    type: Mapped[str] = mapped_column(String(40))
    body: Mapped[str] = mapped_column(Text)
    mac: Mapped[str] = mapped_column(ascii_key(64))
    key_id: Mapped[str] = mapped_column(String(16))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
