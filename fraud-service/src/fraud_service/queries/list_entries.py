"""What is on the lists."""

from sqlalchemy import select

from fraud_service.extensions import db
from fraud_service.models import ListEntry
from fraud_service.values.inputs import ListedValue


def list_entries() -> list[ListedValue]:
    """Return all entries, expired ones too: deny before allow, then by subject and value."""
    with db.reading() as session:
        entries = session.scalars(
            select(ListEntry).order_by(ListEntry.kind.desc(), ListEntry.subject, ListEntry.value)
        )
        return [entry.as_value() for entry in entries]
