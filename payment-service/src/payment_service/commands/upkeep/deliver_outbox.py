"""Delivers the outbox: one queue for each destination, each with its own client."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from service_kit.jobs.queue import LeasedQueue, Result, RetrySchedule
from service_kit.web import strict_json
from sqlalchemy import select

from payment_service.clients.deliveries import BatchClient, NotificationClient, StoreManagerClient
from payment_service.domain.merchant_directory import MerchantDirectory
from payment_service.domain.messages import OUTCOME_KINDS
from payment_service.extensions import db
from payment_service.models.message import OutboxMessage
from payment_service.models.payment import PaymentEvent
from payment_service.values.statuses import Destination

T = TypeVar("T")
_DAY_S = 86_400.0
# A shop that returns hears within a minute, for a day; then every ten minutes.
RETRIES = RetrySchedule(first_delays_s=(0.2, 1, 2, 5, 15), steps=((_DAY_S, 30.0), (float("inf"), 600.0)))


@dataclass(frozen=True, slots=True)
class Delivery(Generic[T]):
    """A destination's queue, and what is done with its messages: each one, or many at once."""

    queue: LeasedQueue[OutboxMessage]
    deliver: Callable[[T], Result]


def deliveries(
    shop: StoreManagerClient, notifications: NotificationClient
) -> Sequence[Delivery[OutboxMessage]]:
    """Return the destinations that take one message at a time; a slow one delays no other."""
    return [
        Delivery(_queue(Destination.STORE_MANAGER), lambda message: shop.update_order(_payload(message))),
        Delivery(_queue(Destination.NOTIFICATIONS), lambda message: notifications.notify(_payload(message))),
    ]


def batch_deliveries(
    events: BatchClient, outcomes: BatchClient, merchants: MerchantDirectory
) -> Sequence[Delivery[Sequence[OutboxMessage]]]:
    """Return the destinations that take many messages at once."""
    return [
        Delivery(
            _queue(Destination.EVENTS),
            lambda messages: events.send([_to_sent_event(*told) for told in _read(messages, merchants)]),
        ),
        Delivery(
            _queue(Destination.FRAUD_OUTCOMES),
            lambda messages: outcomes.send([_to_outcome(*told) for told in _read(messages, merchants)]),
        ),
    ]


def _queue(destination: Destination) -> LeasedQueue[OutboxMessage]:
    return LeasedQueue(db, OutboxMessage, destination, RETRIES)


def _payload(message: OutboxMessage) -> Any:
    return strict_json.loads(message.payload.encode())


def _read(
    messages: Sequence[OutboxMessage], merchants: MerchantDirectory
) -> list[tuple[Mapping[str, Any], str]]:
    ids = [message.event_id for message in messages]
    with db.reading() as session:
        found = select(PaymentEvent.public_id, PaymentEvent.body).where(PaymentEvent.public_id.in_(ids))
        bodies = {row.public_id: row.body for row in session.execute(found)}
        owners = {message.merchant_id for message in messages}
        names = {owner: merchants.get(session, owner).public_id for owner in owners}
    return [
        (strict_json.loads(bodies[message.event_id].encode()), names[message.merchant_id])
        for message in messages
    ]


def _to_sent_event(event: Mapping[str, Any], merchant_id: str) -> Mapping[str, Any]:
    return {"merchant_id": merchant_id, "event": event}


def _to_outcome(event: Mapping[str, Any], merchant_id: str) -> Mapping[str, Any]:
    data = event["data"]
    return {
        "event_id": event["id"],
        "kind": OUTCOME_KINDS[event["type"]],
        "merchant_id": merchant_id,
        "payment_id": event["payment"],
        "attempt_id": data.get("attempt"),
        "card_fingerprint": data.get("card_fingerprint"),
        # The release of the rest of a hold completes a payment, but captures nothing.
        "amount_minor": 0 if "void" in data else data.get("amount_minor"),
        "currency": data.get("currency"),
        "occurred_at": event["at"],
    }
