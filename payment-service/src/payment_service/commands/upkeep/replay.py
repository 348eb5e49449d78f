"""Puts messages back to be delivered, or events to be settled, at once: for an operator."""

from collections.abc import Collection

from service_kit.jobs.queue import JobStatus, replay_rows
from sqlalchemy import ColumnElement, or_

from payment_service.extensions import db
from payment_service.models.message import InboxMessage, OutboxMessage
from payment_service.values.statuses import InboxOutcome


def replay_messages(message_ids: Collection[int] | None) -> int:
    """Make messages due now, all dead ones when ``message_ids`` is None; return how many.

    Only what is not delivered is touched: a message that arrived is not sent again.
    """
    not_delivered = OutboxMessage.status != JobStatus.DONE
    return replay_rows(db, OutboxMessage, _chosen(OutboxMessage, message_ids), not_delivered)


def replay_inbox(message_ids: Collection[int] | None) -> int:
    """Make events due now, all dead ones when ``message_ids`` is None; return how many.

    What was applied stays as it is: nothing is done twice.
    """
    not_applied = or_(InboxMessage.outcome.is_(None), InboxMessage.outcome != InboxOutcome.APPLIED)
    return replay_rows(db, InboxMessage, _chosen(InboxMessage, message_ids), not_applied, outcome=None)


def _chosen(
    model: type[OutboxMessage | InboxMessage], message_ids: Collection[int] | None
) -> ColumnElement[bool]:
    return model.status == JobStatus.DEAD if message_ids is None else model.id.in_(message_ids)
