"""A provider tells us of a dispute: it is applied to the payment and to the books."""

import structlog
from service_kit.clock import utc_now
from service_kit.ids import new_id
from service_kit.leased_queue import Done, Failed, Result
from sqlalchemy.orm import Session

from payment_service.commands.dependencies import Dependencies
from payment_service.commands.webhooks.inquiries import ask_about
from payment_service.domain.disputes.applying import DisputeCase
from payment_service.domain.inbox import close_message, take_message
from payment_service.domain.payments.locks import lock_payment
from payment_service.domain.payments.movements import find_movement
from payment_service.errors import MoneyUnderWay
from payment_service.extensions import db
from payment_service.models.payments.capture import Capture
from payment_service.models.payments.payment_attempt import PaymentAttempt
from payment_service.models.webhooks.inbox_message import InboxMessage
from payment_service.providers.webhook_port import DisputeNews
from payment_service.values.statuses import InboxOutcome

log = structlog.get_logger(__name__)


def hear_of_dispute(message: InboxMessage, news: DisputeNews, dependencies: Dependencies) -> Result:
    """Apply the news; a movement that we do not know the end of is asked about first."""
    with db.reading() as session:
        movement = find_movement(session, message.queue, news.original_id)
    if not isinstance(movement, PaymentAttempt | Capture):
        log.warning("webhook_of_unknown_request", event_id=message.event_id, request=news.original_id)
        db.in_transaction(lambda session: close_message(session, message.id, InboxOutcome.UNKNOWN_REQUEST))
        return Done()
    if movement.is_open and ask_about(movement, dependencies):
        return Failed("what is disputed is still under way")
    payment_id, dispute_id, now = movement.payment_id, new_id("dp"), utc_now()

    def work(session: Session) -> None:
        payment = lock_payment(session, payment_id)
        taken = take_message(session, message.id)
        if taken is None:
            return
        key = dependencies.settler.rules.event_key
        case = DisputeCase(session, key, payment, message.queue, news, dispute_id, now)
        taken.outcome = case.apply()

    try:
        db.in_transaction(work)
    except MoneyUnderWay as exc:
        return Failed(str(exc))
    dependencies.waker.wake()
    return Done()
