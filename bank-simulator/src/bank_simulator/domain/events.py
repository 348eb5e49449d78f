"""What the merchant's side is told by webhooks, stored in the transaction that decided it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from service_kit.clock import utc_text
from service_kit.web import strict_json
from sqlalchemy.orm import Session

from bank_simulator.domain.bank_settings import UnitInputs
from bank_simulator.models import NetworkRequest, WebhookEvent
from bank_simulator.values.vocabulary import EventType

QUEUE = "webhooks"


def announce_request(session: Session, request: NetworkRequest, kind: EventType, inputs: UnitInputs) -> None:
    data = {
        "request_id": request.request_id,
        "status": request.status.value,
        "amount_minor": request.amount_minor,
        "currency": request.currency,
    }
    announce(session, inputs.event_id, kind, data, inputs.now)


def announce(
    session: Session, event_id: str, kind: EventType, data: Mapping[str, Any], now: datetime
) -> None:
    body = {"type": kind.value, "timestamp": utc_text(now), "data": data}
    session.add(
        WebhookEvent(
            queue=QUEUE,
            event_id=event_id,
            event_type=kind,
            body=strict_json.dumps(body),
            next_attempt_at=now,
            created_at=now,
        )
    )
