"""Idempotency keys: what a request of /v1 began, and what was answered to it."""

from datetime import datetime

from service_kit.db.columns import BigId, UtcDateTime, ascii_key
from sqlalchemy import ForeignKey, SmallInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from payment_service.models.base import Base, LongText


class IdempotencyKey(Base):
    """One key of a merchant for one method and path; ``key_hash`` is an HMAC over all four.

    ``fingerprint`` is an HMAC over the parameters. ``resource_id`` is the public id of what the request
    made or changes. Until ``leased_until`` somebody is at work on it, unless it is answered: then the
    ``answer_*`` columns are there, the body as it was sent.
    """

    __tablename__ = "idempotency_keys"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    key_hash: Mapped[str] = mapped_column(ascii_key(64), unique=True)
    merchant_id: Mapped[int] = mapped_column(BigId, ForeignKey("merchants.id"))
    fingerprint: Mapped[str] = mapped_column(ascii_key(64))
    resource_id: Mapped[str] = mapped_column(ascii_key(64))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    leased_until: Mapped[datetime] = mapped_column(UtcDateTime)
    answer_status: Mapped[int | None] = mapped_column(SmallInteger)
    answer_body: Mapped[str | None] = mapped_column(LongText)
    answer_content_type: Mapped[str | None] = mapped_column(String(100))
    answer_location: Mapped[str | None] = mapped_column(String(255))
    answer_retry_after_s: Mapped[int | None]

    @property
    def is_answered(self) -> bool:
        """Whether the outcome is stored, to be said again and again."""
        return self.answer_status is not None
