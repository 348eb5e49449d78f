"""Outcomes: what became of the money of attempts that were assessed here."""

from datetime import datetime

from service_kit.db.columns import BigId, UtcDateTime, ascii_key, enum_column
from sqlalchemy import BigInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from fraud_service.models.base import Base
from fraud_service.values.vocabulary import OutcomeKind


class Outcome(Base):
    """One event after an attempt, stored once; ``attempt_id`` leads to its assessment.

    ``amount_minor`` is what was captured, refunded or disputed by this event, and
    ``decline_code`` why the bank took nothing.
    """

    __tablename__ = "outcomes"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    event_id: Mapped[str] = mapped_column(ascii_key(64), unique=True)
    kind: Mapped[OutcomeKind] = mapped_column(enum_column(OutcomeKind, 16))
    merchant_id: Mapped[str] = mapped_column(ascii_key(64))
    payment_id: Mapped[str] = mapped_column(ascii_key(64))
    attempt_id: Mapped[str | None] = mapped_column(ascii_key(64))
    card_fingerprint: Mapped[str | None] = mapped_column(ascii_key(64))
    amount_minor: Mapped[int | None] = mapped_column(BigInteger)
    currency: Mapped[str | None] = mapped_column(String(3))
    decline_code: Mapped[str | None] = mapped_column(String(40))
    occurred_at: Mapped[datetime] = mapped_column(UtcDateTime)
    received_at: Mapped[datetime] = mapped_column(UtcDateTime)
