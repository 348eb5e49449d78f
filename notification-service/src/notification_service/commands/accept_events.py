"""Accept events of payments: stored once each, and whoever paid is told of what concerns a payer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from service_kit.clock import utc_now
from service_kit.db.database import insert_missing, look_again
from service_kit.ids import new_id
from service_kit.web import strict_json
from sqlalchemy.orm import Session

from notification_service.domain.delivery_queue import QUEUE
from notification_service.extensions import db
from notification_service.models import Notification, ReceivedEvent
from notification_service.values.email_address import lab_address
from notification_service.values.vocabulary import MailLocale, NotificationType

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class NewNotification:
    """What the payer is told; ``data`` holds JSON values, as validated, but for the moment.

    Without an ``email`` the lab makes one up of the ``user_id``, if it has a pattern for that.
    """

    type: NotificationType
    locale: MailLocale
    email: str | None
    user_id: str | None
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class AcceptEvent:
    """One event, whose merchant it is, all of it as JSON text, and what its payer is told of it."""

    event_id: str
    merchant_id: str
    payment_id: str
    type: str
    occurred_at: datetime
    body: str
    notification: NewNotification | None


@dataclass(frozen=True, slots=True)
class Accepted:
    """How many events, and how many notifications, were new."""

    events: int
    notifications: int


@look_again
def accept_events(events: Sequence[AcceptEvent], *, lab_receipt_address: str) -> Accepted:
    """Store the events and notifications that are new, all or none; the first that brings an id wins.

    Raises:
        AddressNotUsable: the pattern makes no address of a user's id.
    """
    now = utc_now()
    received = {event.event_id: _event_row(event, now) for event in events}
    notifications = {
        event.event_id: _notification_row(event, event.notification, recipient, now)
        for event in events
        if event.notification and (recipient := _recipient(event, event.notification, lab_receipt_address))
    }

    def work(session: Session) -> Accepted:
        return Accepted(
            insert_missing(session, ReceivedEvent.event_id, received),
            insert_missing(session, Notification.event_id, notifications),
        )

    return db.in_transaction(work)


def _event_row(event: AcceptEvent, now: datetime) -> Mapping[str, Any]:
    return {
        "event_id": event.event_id,
        "merchant_id": event.merchant_id,
        "payment_id": event.payment_id,
        "type": event.type,
        "occurred_at": event.occurred_at,
        "body": event.body,
        "received_at": now,
    }


def _notification_row(
    event: AcceptEvent, notification: NewNotification, recipient: str, now: datetime
) -> Mapping[str, Any]:
    data = {**notification.data, "occurred_at": event.occurred_at.isoformat()}
    return {
        "public_id": new_id("ntf"),
        "event_id": event.event_id,
        "type": notification.type,
        "locale": notification.locale,
        "recipient": recipient,
        "data": strict_json.dumps(data),
        "queue": QUEUE,
        "next_attempt_at": now,
        "created_at": now,
        "accepted_at": now,
    }


def _recipient(event: AcceptEvent, notification: NewNotification, lab_receipt_address: str) -> str | None:
    if notification.email is not None:
        return notification.email
    if notification.user_id is None or not lab_receipt_address:
        log.info("nobody_to_write_to", event_id=event.event_id, payment_id=event.payment_id)
        return None
    return lab_address(lab_receipt_address, notification.user_id)
