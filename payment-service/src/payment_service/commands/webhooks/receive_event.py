"""Takes an event that a provider sent: verified, then stored; what it means is found out by the worker."""

from collections.abc import Mapping
from dataclasses import dataclass

import structlog
from service_kit.clock import utc_now
from service_kit.web import strict_json
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from payment_service.errors import WebhookUnreadable
from payment_service.extensions import db
from payment_service.models.message import InboxMessage
from payment_service.processing.dependencies import Dependencies

log = structlog.get_logger(__name__)
# Standard Webhooks asks for less than 20 kB; a TEXT column of MySQL holds three times as much.
MAX_BODY_BYTES = 20_480


@dataclass(frozen=True, slots=True)
class ReceiveEvent:
    """A request as it came; the signature is over the raw ``body``. Names of ``headers`` in lower case."""

    provider: str
    headers: Mapping[str, str]
    body: bytes


def receive_event(command: ReceiveEvent, dependencies: Dependencies) -> None:
    """Store the event once, however often it comes; committed when this returns.

    Raises:
        WebhookNotVerified: it is not the provider's; nothing of it was looked at.
        WebhookUnreadable: it is, but too long, or its id cannot be one.
        MalformedJson: it is, but its body is not JSON.
    """
    event_id = dependencies.webhooks[command.provider].verify(command.headers, command.body)
    if len(command.body) > MAX_BODY_BYTES:
        raise WebhookUnreadable(f"An event has at most {MAX_BODY_BYTES} bytes.")
    strict_json.loads(command.body)
    now, text = utc_now(), command.body.decode()

    def work(session: Session) -> None:
        session.add(
            InboxMessage(
                queue=command.provider, event_id=event_id, body=text, next_attempt_at=now, created_at=now
            )
        )

    try:
        db.in_transaction(work)
    except IntegrityError:
        log.info("webhook_again", provider=command.provider, event_id=event_id)
        return
    dependencies.waker.wake()
