"""Put a value on the deny list or the allow list."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from fraud_service.errors import ListEntryExists
from fraud_service.extensions import db
from fraud_service.models import ListEntry
from fraud_service.values.subjects import list_value
from fraud_service.values.vocabulary import ListKind, Subject


@dataclass(frozen=True, slots=True)
class PutOnList:
    """A value, and why it is listed; without ``expires_at`` it stays until somebody takes it off."""

    kind: ListKind
    subject: Subject
    value: str
    reason: str
    created_by: str
    now: datetime
    expires_at: datetime | None = None


def put_on_list(command: PutOnList) -> str:
    """Add the entry and return the value as the list holds it; an expired one of the same value gives way.

    Raises:
        InvalidListValue: no attempt could ever match the value.
        ListEntryExists: the value is on this list already, and in force.
    """
    value = list_value(command.subject, command.value)

    def work(session: Session) -> None:
        session.execute(
            delete(ListEntry).where(
                ListEntry.kind == command.kind,
                ListEntry.subject == command.subject,
                ListEntry.value == value,
                ListEntry.expires_at <= command.now,
            )
        )
        session.add(
            ListEntry(
                kind=command.kind,
                subject=command.subject,
                value=value,
                reason=command.reason,
                created_at=command.now,
                created_by=command.created_by,
                expires_at=command.expires_at,
            )
        )

    try:
        db.in_transaction(work)
    except IntegrityError as exc:
        raise ListEntryExists from exc
    return value
