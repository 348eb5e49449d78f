"""Tells our other services of the events, in the order of their positions, each destination by itself."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from service_kit.clock import utc_now
from service_kit.db.rows import insert_rows
from service_kit.jobs.queue import Done, Failed, Result, log_failing
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.orm import Session

from payment_service.clients.deliveries import RETRIES, BatchClient
from payment_service.domain import followers, told_events
from payment_service.domain.followers import Batch, EventRow, Standing
from payment_service.domain.merchant_directory import MerchantDirectory
from payment_service.extensions import db
from payment_service.models.message import OutboxMessage, payment_of_event
from payment_service.values.statuses import Destination

log = structlog.get_logger(__name__)

BATCH = 100
# Longer than the eight calls take at most by which one event of a batch is found to be refused.
LEASE_S = 60.0


@dataclass(frozen=True, slots=True)
class EventFeed:
    """One destination: what it is told of events, and how it is told. It recognises what comes twice."""

    destination: Destination
    compose: Callable[[Session, MerchantDirectory, Sequence[EventRow]], Sequence[Any]]
    client: BatchClient
    merchants: MerchantDirectory

    def tell(self, events: Sequence[EventRow]) -> Result:
        """Send what there is to say; a defect of ours in one event counts as a refusal of it."""
        try:
            with db.reading() as session:
                items = self.compose(session, self.merchants, events)
            return self.client.send(items) if items else Done()
        except SQLAlchemyError:
            raise
        except Exception as exc:
            log.exception("events_not_told", queue=self.destination, first_event=events[0].public_id)
            return Failed(f"defect: {type(exc).__name__}", is_refused=True)

    def tell_again(self, message: OutboxMessage) -> Result:
        """Send an event that was refused before."""
        with db.reading() as session:
            events = followers.events_called(session, [message.event_id])
        return self.tell(events)


def event_feeds(events: BatchClient, outcomes: BatchClient, merchants: MerchantDirectory) -> list[EventFeed]:
    """Return the destinations that follow the events."""
    return [
        EventFeed(Destination.EVENTS, told_events.sent_events, events, merchants),
        EventFeed(Destination.FRAUD_OUTCOMES, told_events.outcomes, outcomes, merchants),
    ]


def deliver_events(feed: EventFeed) -> int:
    """Tell the destination of all events that have a position, and return how many those were.

    A failure only lets it wait. An event that the destination refuses alone is put into the outbox, which
    tries it a few times more and then gives it up for a person to see; the others go on.
    """
    told = 0
    while batch := _take_next(feed.destination):
        count = _deliver(feed, batch)
        told += count
        if count == len(batch.events) < BATCH:
            break
    return told


def _take_next(name: str) -> Batch | None:
    now, lease_id = utc_now(), secrets.token_hex(16)
    if db.has_one_writer:
        with db.reading() as session:
            if not followers.has_next(session, name, now):
                return None
    try:
        return db.in_transaction(
            lambda session: followers.take_next(session, name, lease_id, now, LEASE_S, BATCH)
        )
    except IntegrityError:
        return None


def _deliver(feed: EventFeed, batch: Batch) -> int:
    """Return how many events were told, or set aside."""
    told, result = _tell(feed, batch.events)
    refused = batch.events[told] if isinstance(result, Failed) and result.is_refused else None
    standing = _standing(batch, told, result)

    def work(session: Session) -> None:
        if followers.leave(session, batch, standing) and refused:
            _set_aside(session, batch.destination, refused, standing.next_try_at)

    db.in_transaction(work)
    return told + (refused is not None)


def _tell(feed: EventFeed, events: Sequence[EventRow]) -> tuple[int, Result]:
    """Return how many events were told, and what became of those that come next.

    What is refused is halved until one event is refused alone.
    """
    told, size = 0, len(events)
    result: Result = Done()
    while told < len(events):
        part = events[told : told + size]
        result = feed.tell(part)
        if isinstance(result, Done):
            told += len(part)
        elif result.is_refused and len(part) > 1:
            size = len(part) // 2
        else:
            break
    return told, result


def _standing(batch: Batch, told: int, result: Result) -> Standing:
    """Return where the destination stands now, and tell operators where it begins or ceases to fail."""
    name, events, now = batch.destination, batch.events, utc_now()
    if told and batch.tries:
        log.warning("job_recovered", queue=name, tries=batch.tries + 1, **_names(events[0]))
    if not isinstance(result, Failed) or result.is_refused:
        return Standing(events[min(told, len(events) - 1)].position, now)
    position = events[told - 1].position if told else batch.position
    tries, since = (1, now) if told else (batch.tries + 1, batch.failing_since or now)
    age_s = (now - since).total_seconds()
    delay_s = RETRIES.delay_s(tries, age_s)
    log_failing(name, tries, age_s, delay_s, result.reason, _names(events[told]))
    return Standing(position, now + timedelta(seconds=delay_s), tries, since, result.reason[:500])


def _names(event: EventRow) -> Mapping[str, object]:
    return {"event_id": event.public_id, "payment": payment_of_event(event.public_id)}


def _set_aside(session: Session, name: str, event: EventRow, now: datetime) -> None:
    """Put an event into the outbox, unless it is there."""
    model = OutboxMessage
    known = select(model.id).where(model.queue == name, model.event_id == event.public_id)
    if session.scalar(known) is None:
        row = {"queue": name, "merchant_id": event.merchant_id, "event_id": event.public_id, "payload": ""}
        insert_rows(session, model, [{**row, "next_attempt_at": now, "created_at": now}])
