"""Writes the history of a payment: a chain of events, each sealed with the one before it."""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from service_kit import strict_json
from sqlalchemy.orm import Session

from payment_service.models.payment import Payment
from payment_service.models.payment_event import PaymentEvent


@dataclass(frozen=True, slots=True)
class EventKey:
    """The key of the chain's HMACs, with the id by which a later verifier finds it."""

    id: str
    secret: bytes


def record_event(
    session: Session, key: EventKey, payment: Payment, event_type: str, at: datetime, data: Mapping[str, Any]
) -> PaymentEvent:
    """Append an event to the payment's chain; the caller holds the payment's lock.

    The id follows from payment and sequence, so that a unit of work that runs again makes the same one.
    """
    sequence = payment.event_count + 1
    public_id = f"evt_{payment.public_id.removeprefix('pay_')}_{sequence}"
    body = strict_json.dumps(
        {
            "id": public_id,
            "type": event_type,
            "payment": payment.public_id,
            "sequence": sequence,
            "at": at.isoformat(),
            "data": data,
        }
    )
    mac = seal(key.secret, payment.event_head, body)
    event = PaymentEvent(
        public_id=public_id,
        merchant_id=payment.merchant_id,
        payment_id=payment.id,
        sequence=sequence,
        type=event_type,
        body=body,
        mac=mac,
        key_id=key.id,
        created_at=at,
    )
    session.add(event)
    payment.event_count = sequence
    payment.event_head = mac
    return event


def seal(secret: bytes, previous: str, body: str) -> str:
    """Return the HMAC-SHA256 (hex) that binds ``body`` to the event before it (empty for the first)."""
    return hmac.new(secret, f"{previous}\n{body}".encode(), hashlib.sha256).hexdigest()
