"""Entries of the deny list and the allow list."""

from datetime import datetime

from service_kit.db.columns import BigId, UtcDateTime, enum_column, exact_text
from sqlalchemy import String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from fraud_service.models.base import Base
from fraud_service.values.inputs import ListedValue
from fraud_service.values.vocabulary import ListKind, Subject

MAX_REASON = 200
MAX_NAME = 64


class ListEntry(Base):
    """A value that somebody put on a list, and why; in force until ``expires_at``, or without end."""

    __tablename__ = "list_entries"
    # In this order it also serves the look-up by subject and value.
    __table_args__ = (UniqueConstraint("subject", "value", "kind"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    kind: Mapped[ListKind] = mapped_column(enum_column(ListKind, 16))
    subject: Mapped[Subject] = mapped_column(enum_column(Subject, 16))
    value: Mapped[str] = mapped_column(exact_text(160))
    reason: Mapped[str] = mapped_column(String(MAX_REASON))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_by: Mapped[str] = mapped_column(String(MAX_NAME))
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    def as_value(self) -> ListedValue:
        return ListedValue(
            self.kind,
            self.subject,
            self.value,
            self.reason,
            self.created_at,
            self.created_by,
            self.expires_at,
        )
