"""Settles what providers told us: one queue for each of them."""

from collections.abc import Callable
from dataclasses import dataclass

import structlog
from service_kit.leased_queue import Done, LeasedQueue, Result, RetrySchedule

from payment_service.commands.dependencies import Dependencies
from payment_service.commands.webhooks.hear_of_dispute import hear_of_dispute
from payment_service.commands.webhooks.hear_of_movement import hear_of_movement
from payment_service.domain.inbox import close_message
from payment_service.errors import WebhookUnreadable
from payment_service.extensions import db
from payment_service.models.webhooks.inbox_message import InboxMessage
from payment_service.providers.webhook_port import DisputeNews, MovementNews
from payment_service.values.statuses import InboxOutcome

log = structlog.get_logger(__name__)

_DAY_S = 86_400.0
RETRIES = RetrySchedule(first_delays_s=(1, 5, 15, 60, 300), steps=((_DAY_S, 600.0), (float("inf"), 3600.0)))


@dataclass(frozen=True, slots=True)
class Inbox:
    """A provider's queue, and what is done with each of its events."""

    queue: LeasedQueue[InboxMessage]
    settle: Callable[[InboxMessage], Result]


def inboxes(dependencies: Dependencies) -> list[Inbox]:
    """Return the inbox of every provider; a slow one delays no other."""
    return [
        Inbox(
            LeasedQueue(db, InboxMessage, provider, RETRIES),
            lambda message: settle_message(message, dependencies),
        )
        for provider in dependencies.webhooks
    ]


def settle_message(message: InboxMessage, dependencies: Dependencies) -> Result:
    """Do what an event asks for, once, however often this is called."""
    if message.outcome is not None:
        return Done()
    try:
        news = dependencies.webhooks[message.queue].read(message.body)
    except WebhookUnreadable as exc:
        log.error("webhook_unreadable", provider=message.queue, event_id=message.event_id, reason=str(exc))
        return _close(message, InboxOutcome.UNREADABLE)
    if isinstance(news, MovementNews):
        return hear_of_movement(message, news, dependencies)
    if isinstance(news, DisputeNews):
        return hear_of_dispute(message, news, dependencies)
    log.warning("webhook_of_unknown_type", provider=message.queue, event_id=message.event_id, type=news.type)
    return _close(message, InboxOutcome.UNKNOWN_TYPE)


def _close(message: InboxMessage, outcome: InboxOutcome) -> Result:
    db.in_transaction(lambda session: close_message(session, message.id, outcome))
    return Done()
