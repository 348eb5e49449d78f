"""Recomputes every chain of events, and names whatever was changed, taken out, cut off or put elsewhere."""

import hmac
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from itertools import groupby
from typing import Any

from service_kit.clock import utc_now
from service_kit.web import strict_json
from sqlalchemy import Row, func, select

from payment_service.audit.findings import Advance, newest_payment
from payment_service.domain.payments.events import seal
from payment_service.extensions import db
from payment_service.models.payment import Payment, PaymentEvent
from payment_service.models.position import EventPosition

BATCH = 500
# Longer than the longest transaction, and the turns of whoever gives positions.
UNPLACED_FOR = timedelta(minutes=10)
Found = Row[*tuple[Any, ...]]


def verify_events(keys: Mapping[str, bytes], advance: Advance = lambda _ids: None) -> Iterator[str]:
    """Yield every difference in words; ``keys`` are the HMAC keys by id.

    ``advance`` gets how many ids of payments were gone through, so that progress can be shown.
    """
    last_id = newest_payment()
    for first in range(1, last_id + 1, BATCH):
        # One statement: it sees a payment and its events at the same moment.
        statement = (
            select(
                Payment.public_id.label("payment"),
                Payment.event_count,
                Payment.event_head,
                PaymentEvent.public_id,
                PaymentEvent.sequence,
                PaymentEvent.type,
                PaymentEvent.body,
                PaymentEvent.mac,
                PaymentEvent.key_id,
            )
            .outerjoin(PaymentEvent, PaymentEvent.payment_id == Payment.id)
            .where(Payment.id.between(first, first + BATCH - 1))
            .order_by(Payment.id, PaymentEvent.sequence)
        )
        with db.reading() as session:
            rows: Sequence[Found] = session.execute(statement).all()
        for payment, chain in groupby(rows, key=lambda row: row.payment):
            yield from (f"payment {payment}: {what}" for what in _chain_differences(list(chain), keys))
        advance(min(BATCH, last_id + 1 - first))
    yield from _without_position()


def _without_position() -> Iterator[str]:
    """Name the events that whoever follows them never sees: later ones have a position, they have none."""
    placed = select(EventPosition.row_id).where(EventPosition.row_id == PaymentEvent.id).exists()
    last = select(func.max(EventPosition.row_id)).scalar_subquery()
    # What is young may still get its position: its transaction may have ended just now.
    until = utc_now() - UNPLACED_FOR
    statement = select(PaymentEvent.public_id).where(
        PaymentEvent.id < last, PaymentEvent.created_at < until, ~placed
    )
    with db.reading() as session:
        names = session.scalars(statement.order_by(PaymentEvent.id)).all()
    yield from (
        f"event {name} has no position, so that nobody who follows the events sees it" for name in names
    )


def _chain_differences(chain: Sequence[Found], keys: Mapping[str, bytes]) -> Iterator[str]:
    count, head = chain[0].event_count, chain[0].event_head
    events = [row for row in chain if row.sequence is not None]
    # None: what came before is missing, so the next seal cannot be computed.
    previous: str | None = ""
    expected = 1
    for event in events:
        if event.sequence != expected:
            last = event.sequence - 1
            missing = f"{expected}" if last == expected else f"{expected} to {last}"
            yield f"event {missing} is missing"
            previous = None
        yield from _event_differences(event, previous, keys)
        previous, expected = event.mac, event.sequence + 1
    if expected - 1 < count:
        yield f"it ends with event {expected - 1}, but {count} were written: the rest is missing"
    elif expected - 1 > count:
        yield f"it has {expected - 1} events, but {count} were written"
    elif previous != head:
        yield "its last event is not the one with which its head was sealed"


def _event_differences(event: Found, previous: str | None, keys: Mapping[str, bytes]) -> Iterator[str]:
    name = f"event {event.sequence} ({event.public_id})"
    secret = keys.get(event.key_id)
    if secret is None:
        yield f"{name}: no key {event.key_id} is known, so its seal cannot be checked"
    elif previous is not None and not hmac.compare_digest(seal(secret, previous, event.body), event.mac):
        yield f"{name}: its seal does not fit: it was changed, or is not in its place"
    stated = _stated_by(event.body)
    if stated != (event.public_id, event.type, event.payment, event.sequence):
        yield f"{name}: its row does not say what its body says, which is {stated}"


def _stated_by(body: str) -> tuple[Any, ...] | None:
    try:
        document = strict_json.loads(body.encode())
    except strict_json.MalformedJson:
        return None
    members: Mapping[str, Any] = document if isinstance(document, dict) else {}
    return tuple(members.get(name) for name in ("id", "type", "payment", "sequence"))
