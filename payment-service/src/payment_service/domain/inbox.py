"""Closes what providers told us, inside the transaction that did what it asks for."""

from sqlalchemy import CursorResult, update
from sqlalchemy.orm import Session

from payment_service.models.webhooks.inbox_message import InboxMessage
from payment_service.values.statuses import InboxOutcome


def close_message(session: Session, message_id: int, outcome: InboxOutcome) -> bool:
    """Write down what came of an event, once; False means that somebody did so before: change nothing.

    The caller holds the lock of the payment that the event is about, if there is one.
    """
    result = session.execute(
        update(InboxMessage)
        .where(InboxMessage.id == message_id, InboxMessage.outcome.is_(None))
        .values(outcome=outcome)
        .execution_options(synchronize_session=False)
    )
    assert isinstance(result, CursorResult)  # noqa: S101  an UPDATE always gives one
    return result.rowcount == 1
