"""Closes events of providers, inside the transaction that applied them."""

from sqlalchemy.orm import Session

from payment_service.models.message import InboxMessage
from payment_service.values.statuses import InboxOutcome


def take_message(session: Session, message_id: int) -> InboxMessage | None:
    """Lock an event whose outcome is still to be written; None: somebody else has done so, change nothing.

    The caller holds the lock of the payment that the event is about, if there is one.
    """
    message = session.get(InboxMessage, message_id, with_for_update=True, populate_existing=True)
    return message if message is not None and message.outcome is None else None


def close_message(session: Session, message_id: int, outcome: InboxOutcome) -> None:
    """Store the outcome of an event that changed nothing here."""
    message = take_message(session, message_id)
    if message is not None:
        message.outcome = outcome
