"""Assessments: each decision with everything that led to it."""

from datetime import datetime

from service_kit.db.columns import BigId, UtcDateTime, ascii_key, enum_column, exact_text
from sqlalchemy import Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from fraud_service.models.base import Base
from fraud_service.values.vocabulary import Decision, TryResult


class Assessment(Base):
    """One decision about one attempt; written once, and only its ``result`` changes.

    ``request``, ``inputs`` and ``answer`` are JSON as text: a JSON column would give back other bytes.
    ``is_counted`` says whether later attempts count this one: only when the limits were asked and did not
    decline it. What a list decided says nothing about habits, and an attempt that was declined must not
    lengthen the time until the next one is let through. ``result`` is what became of one that is counted.
    """

    __tablename__ = "assessments"
    # Each count is a range in one of these, and reads nothing but the index.
    __table_args__ = (
        Index(
            "ix_assessments_card_tries",
            *("card_fingerprint", "is_counted", "assessed_at", "merchant_id", "result"),
        ),
        Index("ix_assessments_user", "merchant_id", "user_id", "is_counted", "assessed_at"),
        Index(
            "ix_assessments_ip_tries",
            *("merchant_id", "ip", "is_counted", "assessed_at", "result", "card_fingerprint"),
        ),
        Index(
            "ix_assessments_bin_tries", *("merchant_id", "bin", "result", "assessed_at", "card_fingerprint")
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    assessment_id: Mapped[str] = mapped_column(ascii_key(32), unique=True)
    attempt_id: Mapped[str] = mapped_column(ascii_key(64), unique=True)
    assessed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    decision: Mapped[Decision] = mapped_column(enum_column(Decision, 16))
    is_counted: Mapped[bool]
    result: Mapped[TryResult | None] = mapped_column(enum_column(TryResult, 16))
    card_fingerprint: Mapped[str] = mapped_column(ascii_key(64))
    bin: Mapped[str | None] = mapped_column(ascii_key(6))
    merchant_id: Mapped[str] = mapped_column(ascii_key(64))
    user_id: Mapped[str] = mapped_column(exact_text(64))
    ip: Mapped[str | None] = mapped_column(ascii_key(64))
    request: Mapped[str] = mapped_column(Text)
    inputs: Mapped[str] = mapped_column(Text)
    answer: Mapped[str] = mapped_column(Text)
