"""Take a value off the deny list or the allow list."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from fraud_service.errors import ListEntryNotFound
from fraud_service.extensions import db
from fraud_service.models import ListEntry
from fraud_service.values.subjects import list_value
from fraud_service.values.vocabulary import ListKind, Subject


@dataclass(frozen=True, slots=True)
class TakeOffList:
    """The entry to remove; assessments that it decided keep their own copy of it."""

    kind: ListKind
    subject: Subject
    value: str


def take_off_list(command: TakeOffList) -> str:
    """Remove the entry and return the value as the list held it.

    Raises:
        InvalidListValue: no list can hold such a value.
        ListEntryNotFound: it is not on this list.
    """
    value = list_value(command.subject, command.value)

    def work(session: Session) -> bool:
        entry = session.scalar(
            select(ListEntry).where(
                ListEntry.kind == command.kind, ListEntry.subject == command.subject, ListEntry.value == value
            )
        )
        if entry is None:
            return False
        session.delete(entry)
        return True

    if not db.in_transaction(work):
        raise ListEntryNotFound
    return value
