"""Accept events of payments: stored once each, to be passed on to their merchants."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from service_kit.clock import utc_now
from service_kit.db.database import insert_once

from notification_service.extensions import db
from notification_service.models import ReceivedEvent


@dataclass(frozen=True, slots=True)
class AcceptEvent:
    """One event, whose merchant it is, and all of it as JSON text."""

    event_id: str
    merchant_id: str
    payment_id: str
    type: str
    occurred_at: datetime
    body: str


def accept_events(events: Sequence[AcceptEvent]) -> int:
    """Store the events that are new, and return how many those are; the first that brings an id wins."""
    now = utc_now()
    rows = {event.event_id: {**asdict(event), "received_at": now} for event in events}
    return insert_once(db, ReceivedEvent.event_id, rows)
