"""A provider tells us of one of our movements: we ask it, and settle what it answers."""

import structlog
from service_kit.clock import utc_now
from service_kit.leased_queue import Done, Failed, Result
from sqlalchemy.orm import Session

from payment_service.commands.dependencies import Dependencies
from payment_service.commands.webhooks.inquiries import ask_about
from payment_service.domain.inbox import close_message, take_message
from payment_service.domain.payments.actors import provider_actor
from payment_service.domain.payments.events import record_event
from payment_service.domain.payments.locks import lock_payment
from payment_service.domain.payments.movements import AnyMovement, find_movement
from payment_service.domain.settlement.charges import FINAL_STATES
from payment_service.extensions import db
from payment_service.models.webhooks.inbox_message import InboxMessage
from payment_service.providers.webhook_port import MovementNews
from payment_service.values.statuses import InboxOutcome

log = structlog.get_logger(__name__)


def hear_of_movement(message: InboxMessage, news: MovementNews, dependencies: Dependencies) -> Result:
    """Ask the provider about the movement, unless it ended as the event says.

    The event's own word settles nothing. An amount that differs changes nothing: an event and an alert.
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
    if ask_about(movement, dependencies) and ended_as is not None:
        return Failed("the provider does not confirm it yet")
    return _close(message, InboxOutcome.APPLIED)


def _note_difference(
    message: InboxMessage, movement: AnyMovement, news: MovementNews, dependencies: Dependencies
) -> Result:
    now = utc_now()
    said = {"said_amount_minor": news.amount.amount_minor, "said_currency": news.amount.currency}
    data = {
        "movement": movement.public_id,
        "amount_minor": movement.amount_minor,
        "currency": movement.currency,
        **said,
        "provider_event": message.event_id,
    }

    def work(session: Session) -> None:
        payment = lock_payment(session, movement.payment_id)
        taken = take_message(session, message.id)
        if taken is not None:
            taken.outcome = InboxOutcome.AMOUNT_DIFFERS
            key = dependencies.settler.rules.event_key
            actor = provider_actor(message.queue)
            record_event(session, key, payment, "movement.amount_differs", now, data, actor=actor)

    db.in_transaction(work)
    log.error(
        "amount_differs", provider=message.queue, event_id=message.event_id, movement=movement.public_id
    )
    return Done()


def _close(message: InboxMessage, outcome: InboxOutcome) -> Result:
    db.in_transaction(lambda session: close_message(session, message.id, outcome))
    return Done()
