"""Writes the history of a payment: a chain of events, each sealed with the one before it."""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from service_kit.clock import utc_text
from service_kit.db.rows import append_rows, given_values
from service_kit.web import strict_json
from sqlalchemy.orm import Session

from payment_service.models.payment import Payment, PaymentEvent

VERSION = 1


@dataclass(frozen=True, slots=True)
class EventKey:
    """The key of the chain's HMACs, with the id by which a later verifier finds it."""

    id: str
    secret: bytes


def record_event(
    session: Session,
    key: EventKey,
    payment: Payment,
    event_type: str,
    at: datetime,
    data: Mapping[str, Any],
    *,
    actor: str,
) -> PaymentEvent:
    """Append an event to the chain of a stored payment; the caller holds the payment's lock.

    Whoever follows the events hears of it (domain/followers.py). ``actor``: one of those below.
    ``data`` must fit the schema of its type in docs/events; members that are None are left out.
    """
    event = next_event(key, payment, event_type, at, data, actor=actor)
    store_event(session, event)
    return event


def store_event(session: Session, event: PaymentEvent) -> None:
    """Store an event at the end of the transaction."""
    append_rows(session, PaymentEvent, [given_values(event)])


def next_event(
    key: EventKey,
    payment: Payment,
    event_type: str,
    at: datetime,
    data: Mapping[str, Any],
    *,
    actor: str,
) -> PaymentEvent:
    """Return the payment's next event and move its head; for a payment that is not stored yet, too.

    The id follows from payment and sequence, so that a unit of work that runs again makes the same one.
    """
    sequence = payment.event_count + 1
    public_id = f"evt_{payment.public_id.removeprefix('pay_')}_{sequence}"
    body = strict_json.dumps(
        {
            "id": public_id,
            "type": event_type,
            "version": VERSION,
            "payment": payment.public_id,
            "sequence": sequence,
            "at": utc_text(at),
            "actor": actor,
            "data": {name: value for name, value in data.items() if value is not None},
        }
    )
    payment.event_count = sequence
    payment.event_head = seal(key.secret, payment.event_head, body)
    return PaymentEvent(
        public_id=public_id,
        merchant_id=payment.merchant_id,
        payment_id=payment.id,
        sequence=sequence,
        type=event_type,
        body=body,
        mac=payment.event_head,
        key_id=key.id,
        created_at=at,
    )


def seal(secret: bytes, previous: str, body: str) -> str:
    """Return the HMAC-SHA256 (hex) that binds ``body`` to the event before it (empty for the first)."""
    return hmac.new(secret, f"{previous}\n{body}".encode(), hashlib.sha256).hexdigest()


JANITOR = "janitor"
OPERATOR = "operator"
PAYER = "payer"
SHOP = "shop"


def api_client_actor(client_id: str) -> str:
    return f"api_client:{client_id}"


def provider_actor(name: str) -> str:
    """Return the name of a provider whose event we act on."""
    return f"provider:{name}"
