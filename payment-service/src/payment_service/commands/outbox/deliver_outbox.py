"""Delivers the outbox: one queue for each destination, each with its own client."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from service_kit import strict_json
from service_kit.leased_queue import LeasedQueue, Result, RetrySchedule

from payment_service.clients.notifications import NotificationClient
from payment_service.clients.store_manager import StoreManagerClient
from payment_service.extensions import db
from payment_service.models.outbox_message import OutboxMessage
from payment_service.values.statuses import Destination

_DAY_S = 86_400.0
# A shop that returns hears within a minute, for a day; then every ten minutes.
RETRIES = RetrySchedule(first_delays_s=(0.2, 1, 2, 5, 15), steps=((_DAY_S, 30.0), (float("inf"), 600.0)))


@dataclass(frozen=True, slots=True)
class Delivery:
    """A destination's queue, and what is done with each of its messages."""

    queue: LeasedQueue[OutboxMessage]
    deliver: Callable[[OutboxMessage], Result]


def deliveries(shop: StoreManagerClient, notifications: NotificationClient) -> list[Delivery]:
    """Return every destination; a slow one delays no other."""
    senders: Mapping[Destination, Callable[[OutboxMessage], Result]] = {
        Destination.STORE_MANAGER: lambda message: shop.update_order(strict_json.loads(_bytes(message))),
        Destination.NOTIFICATIONS: lambda message: notifications.notify(strict_json.loads(_bytes(message))),
    }
    return [
        Delivery(LeasedQueue(db, OutboxMessage, destination, RETRIES), send)
        for destination, send in senders.items()
    ]


def _bytes(message: OutboxMessage) -> bytes:
    return message.payload.encode()
