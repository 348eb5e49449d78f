"""Assessments: each decision with everything that led to it."""

from datetime import datetime

from service_kit.db.columns import BigId, UtcDateTime, ascii_key, enum_column, exact_text
from sqlalchemy import Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from fraud_service.models.base import Base
from fraud_service.values.vocabulary import Decision


class Assessment(Base):
    """One decision about one attempt; written once and never changed.

    ``request``, ``inputs`` and ``answer`` are JSON as text: a JSON column would give back other bytes.
    ``is_counted`` says whether later attempts count this one: only when the limits were asked and did not
    decline it. What a list decided says nothing about habits, and an attempt that was declined must not
    lengthen the time until the next one is let through.
    """

    __tablename__ = "assessments"
    # Each velocity count is a range in one of these, and reads nothing but the index.
    __table_args__ = (
        Index("ix_assessments_card", "card_fingerprint", "is_counted", "assessed_at"),
        Index("ix_assessments_user", "merchant_id", "user_id", "is_counted", "assessed_at"),
        Index("ix_assessments_ip", "ip", "is_counted", "assessed_at"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    assessment_id: Mapped[str] = mapped_column(ascii_key(32), unique=True)
    attempt_id: Mapped[str] = mapped_column(ascii_key(64), unique=True)
    assessed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    decision: Mapped[Decision] = mapped_column(enum_column(Decision, 16))
    is_counted: Mapped[bool]
    card_fingerprint: Mapped[str] = mapped_column(ascii_key(64))
    merchant_id: Mapped[str] = mapped_column(ascii_key(64))
    user_id: Mapped[str] = mapped_column(exact_text(64))
    ip: Mapped[str | None] = mapped_column(ascii_key(64))
    request: Mapped[str] = mapped_column(Text)
    inputs: Mapped[str] = mapped_column(Text)
    answer: Mapped[str] = mapped_column(Text)
