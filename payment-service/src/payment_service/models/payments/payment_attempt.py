"""Attempts: every try to take or hold money for a payment, and every late approval that goes back."""

from datetime import datetime

from service_kit.columns import UtcDateTime, ascii_key
from sqlalchemy import Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from payment_service.models.base import Base
from payment_service.models.payments.movement import Movement


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

    kind: Mapped[str] = mapped_column(String(16))
    claimed_from: Mapped[str] = mapped_column(String(24))
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
