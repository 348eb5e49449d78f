"""Accept a notification: from then on it is ours to deliver."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from service_kit.clock import utc_now
from service_kit.db.rows import insert_rows
from service_kit.email_addresses import email_address
from service_kit.ids import new_id
from service_kit.web import strict_json
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from notification_service.domain.delivery_queue import QUEUE
from notification_service.errors import EventReused, NoRecipient
from notification_service.extensions import db
from notification_service.models import Notification
from notification_service.values.email_address import lab_address
from notification_service.values.vocabulary import MailLocale, NotificationType


@dataclass(frozen=True, slots=True)
class AcceptNotification:
    """What the caller wants told; ``data`` holds JSON values, as validated."""

    event_id: str
    type: NotificationType
    locale: MailLocale
    email: str | None
    user_id: str | None
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Accepted:
    notification_id: str
    event_id: str
    is_new: bool


def accept_notification(command: AcceptNotification, *, lab_receipt_address: str) -> Accepted:
    """Store the notification in the queue; nothing more when its event was accepted before.

    Raises:
        EventReused: the event id came before with other content.
        AddressNotUsable: the address cannot be written to.
        NoRecipient: there is no address, and none can be made up.
    """
    recipient = _recipient(command, lab_receipt_address)
    content_hash = _content_hash(command)
    now = utc_now()
    public_id = new_id("ntf")

    row = {
        "public_id": public_id,
        "event_id": command.event_id,
        "content_hash": content_hash,
        "type": command.type,
        "locale": command.locale,
        "recipient": recipient,
        "data": strict_json.dumps(command.data),
        "queue": QUEUE,
        "next_attempt_at": now,
        "created_at": now,
        "accepted_at": now,
    }

    try:
        db.in_transaction(lambda session: insert_rows(session, Notification, [row]))
    except IntegrityError:
        return _accepted_before(command.event_id, content_hash)
    return Accepted(public_id, command.event_id, is_new=True)


def _accepted_before(event_id: str, content_hash: str) -> Accepted:
    columns = (Notification.public_id, Notification.content_hash)
    with db.reading() as session:
        stored = session.execute(select(*columns).where(Notification.event_id == event_id)).one()
    if stored.content_hash != content_hash:
        raise EventReused
    return Accepted(stored.public_id, event_id, is_new=False)


def _recipient(command: AcceptNotification, lab_receipt_address: str) -> str:
    if command.email is not None:
        return email_address(command.email)
    if command.user_id is None or not lab_receipt_address:
        raise NoRecipient
    return lab_address(lab_receipt_address, command.user_id)


def _content_hash(command: AcceptNotification) -> str:
    """Return the SHA-256 of what the caller said, however its JSON was ordered or spaced."""
    canonical = _sorted(asdict(command))
    return hashlib.sha256(strict_json.dumps(canonical).encode()).hexdigest()


def _sorted(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return value
