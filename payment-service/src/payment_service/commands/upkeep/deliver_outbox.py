"""Delivers the outbox: one queue for each destination, each with its own client."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from service_kit.jobs.queue import LeasedQueue, Result
from service_kit.web import strict_json
from service_kit.web.request_context import trace_continued

from payment_service.clients.deliveries import RETRIES, StoreManagerClient
from payment_service.commands.upkeep.deliver_events import EventFeed
from payment_service.extensions import db
from payment_service.models.message import OutboxMessage
from payment_service.values.statuses import Destination


@dataclass(frozen=True, slots=True)
class Delivery:
    """A destination's queue, and what is done with each of its messages."""

    queue: LeasedQueue[OutboxMessage]
    deliver: Callable[[OutboxMessage], Result]


def deliveries(shop: StoreManagerClient, feeds: Iterable[EventFeed]) -> Sequence[Delivery]:
    """Return the queues; a slow destination delays no other. Those of ``feeds`` hold what was refused."""

    def update_order(message: OutboxMessage) -> Result:
        with trace_continued(message.traceparent):
            return shop.update_order(strict_json.loads(message.payload.encode()))

    return [
        Delivery(_queue(Destination.STORE_MANAGER), update_order),
        *(Delivery(_queue(feed.destination), feed.tell_again) for feed in feeds),
    ]


def _queue(destination: Destination) -> LeasedQueue[OutboxMessage]:
    return LeasedQueue(db, OutboxMessage, destination, RETRIES)
