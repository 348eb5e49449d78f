"""Settles the events that providers sent: one queue for each provider."""

from collections.abc import Callable
from dataclasses import dataclass

import structlog
from service_kit.clock import utc_now
from service_kit.ids import new_id
from service_kit.jobs.queue import Done, Failed, LeasedQueue, Result, RetrySchedule
from sqlalchemy.orm import Session

from payment_service.domain.dispute_news import DisputeCase
from payment_service.domain.payments.events import provider_actor, record_event
from payment_service.domain.payments.locks import find_movement, lock_payment
from payment_service.domain.settlement.settle import FINAL_STATES
from payment_service.errors import MoneyUnderWay, WebhookUnreadable
from payment_service.extensions import db
from payment_service.models.message import InboxMessage
from payment_service.models.movement import AnyMovement, Capture, PaymentAttempt
from payment_service.processing.dependencies import Dependencies
from payment_service.processing.inquiry import inquire
from payment_service.providers.port import DisputeNews, MovementNews
from payment_service.values.statuses import InboxOutcome

log = structlog.get_logger(__name__)

_DAY_S = 86_400.0
RETRIES = RetrySchedule(first_delays_s=(1, 5, 15, 60, 300), steps=((_DAY_S, 600.0), (float("inf"), 3600.0)))


@dataclass(frozen=True, slots=True)
class Inbox:
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
    """Apply an event once, however often this is called."""
    if message.outcome is not None:
        return Done()
    try:
        news = dependencies.webhooks[message.queue].read(message.body)
    except WebhookUnreadable as exc:
        log.error("webhook_unreadable", provider=message.queue, event_id=message.event_id, reason=str(exc))
        return _close(message, InboxOutcome.UNREADABLE)
    if isinstance(news, MovementNews):
        return handle_movement(message, news, dependencies)
    if isinstance(news, DisputeNews):
        return handle_dispute(message, news, dependencies)
    log.warning("webhook_of_unknown_type", provider=message.queue, event_id=message.event_id, type=news.type)
    return _close(message, InboxOutcome.UNKNOWN_TYPE)


def _close(message: InboxMessage, outcome: InboxOutcome) -> Result:
    """Store the outcome of an event that changed nothing here."""

    def work(session: Session) -> None:
        taken = take_message(session, message.id)
        if taken is not None:
            taken.outcome = outcome

    db.in_transaction(work)
    return Done()


def handle_dispute(message: InboxMessage, news: DisputeNews, dependencies: Dependencies) -> Result:
    """Apply the news; about a movement whose outcome is open there is an inquiry first."""
    with db.reading() as session:
        movement = find_movement(session, message.queue, news.original_id)
    if not isinstance(movement, PaymentAttempt | Capture):
        log.warning("webhook_of_unknown_request", event_id=message.event_id, request=news.original_id)
        return _close(message, InboxOutcome.UNKNOWN_REQUEST)
    if movement.is_open and _is_still_open(movement, dependencies):
        return Failed("what is disputed is still under way")
    payment_id, dispute_id, now = movement.payment_id, new_id("dp"), utc_now()

    def work(session: Session) -> None:
        payment = lock_payment(session, payment_id)
        taken = take_message(session, message.id)
        if taken is None:
            return
        key = dependencies.policy.event_key
        taken.outcome = DisputeCase(session, key, payment, message.queue, news, dispute_id, now).apply()

    try:
        db.in_transaction(work)
    except MoneyUnderWay as exc:
        return Failed(str(exc))
    dependencies.waker.wake()
    return Done()


def handle_movement(message: InboxMessage, news: MovementNews, dependencies: Dependencies) -> Result:
    """Ask the provider about the movement, unless it ended as the event says.

    The event alone settles nothing. An amount that differs changes nothing: an event and an alert.
    """
    with db.reading() as session:
        movement = find_movement(session, message.queue, news.movement_id)
    if movement is None:
        log.warning(
            "webhook_of_unknown_request",
            provider=message.queue,
            event_id=message.event_id,
            request=news.movement_id,
        )
        return _close(message, InboxOutcome.UNKNOWN_REQUEST)
    if news.amount != movement.amount:
        return _note_difference(message, movement, news, dependencies)
    ended_as = FINAL_STATES.get(news.outcome)
    if movement.state == ended_as or (ended_as is None and not movement.is_open):
        return _close(message, InboxOutcome.APPLIED)
    if _is_still_open(movement, dependencies) and ended_as is not None:
        return Failed("the provider does not confirm it yet")
    return _close(message, InboxOutcome.APPLIED)


def _note_difference(
    message: InboxMessage, movement: AnyMovement, news: MovementNews, dependencies: Dependencies
) -> Result:
    now = utc_now()
    data = {
        "movement": movement.public_id,
        "amount_minor": movement.amount_minor,
        "currency": movement.currency,
        "said_amount_minor": news.amount.amount_minor,
        "said_currency": news.amount.currency,
        "provider_event": message.event_id,
    }

    def work(session: Session) -> None:
        payment = lock_payment(session, movement.payment_id)
        taken = take_message(session, message.id)
        if taken is not None:
            taken.outcome = InboxOutcome.AMOUNT_DIFFERS
            key = dependencies.policy.event_key
            actor = provider_actor(message.queue)
            record_event(session, key, payment, "movement.amount_differs", now, data, actor=actor)

    db.in_transaction(work)
    log.error(
        "amount_differs", provider=message.queue, event_id=message.event_id, movement=movement.public_id
    )
    return Done()


def _is_still_open(movement: AnyMovement, dependencies: Dependencies) -> bool:
    """Inquire and settle; return whether the outcome is still open."""
    settled = inquire(movement, dependencies, actor=provider_actor(movement.provider))
    return settled.movement.is_open


def take_message(session: Session, message_id: int) -> InboxMessage | None:
    """Lock an event whose outcome is still to be written; None: somebody else has done so, change nothing.

    The caller holds the lock of the payment that the event is about, if there is one.
    """
    message = session.get(InboxMessage, message_id, with_for_update=True, populate_existing=True)
    return message if message is not None and message.outcome is None else None
