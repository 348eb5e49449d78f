"""One payment of the bulk, as rows that are not yet inserted."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from payment_service.domain.books.postings import Source, entries_of
from payment_service.domain.payments.events import OPERATOR, EventKey, next_event
from payment_service.models.base import Base
from payment_service.models.ledger import LedgerEntry
from payment_service.models.message import OutboxMessage
from payment_service.models.payment import Payment, PaymentEvent
from payment_service.values.statuses import Destination, EntryKind, MovementState
from service_kit.jobs.queue import JobStatus

AMOUNT_MINOR = 5950
CURRENCY = "MAD"
PROVIDER = "bank-simulator"
AMOUNT = {"amount_minor": AMOUNT_MINOR, "currency": CURRENCY}
PREFIX = "bulk"
Rows = dict[type[Base], list[dict[str, Any]]]


@dataclass
class Story:
    """One payment from its creation to its end, as rows; ``payment`` carries the chain's head."""

    key: EventKey
    number: int
    payment: Payment
    rows: Rows = field(default_factory=lambda: defaultdict(list))

    def id(self, prefix: str) -> str:
        """Return the public id of what belongs to this payment."""
        return f"{prefix}_{PREFIX}{self.number:010}"

    def happen(self, kind: str, after_s: float, **data: Any) -> datetime:
        """Add an event, with what the outbox said of it, which everybody has."""
        at = self.payment.created_at + timedelta(seconds=after_s)
        event = next_event(self.key, self.payment, kind, at, data, actor=OPERATOR)
        columns = ("public_id", "merchant_id", "sequence", "type", "body", "mac", "key_id", "created_at")
        self.rows[PaymentEvent].append({name: getattr(event, name) for name in columns})
        if kind == "payment.completed":
            payload = f'{{"order_id":{self.number},"is_paid":true,"payment_id":{self.number}}}'
            self._tell(Destination.STORE_MANAGER, event.public_id, at, payload)
        return at

    def move(self, model: type[Base], prefix: str, at: datetime, **columns: Any) -> dict[str, Any]:
        """Add a movement that has ended."""
        row = {
            "public_id": self.id(prefix),
            "merchant_id": self.payment.merchant_id,
            "state": MovementState.APPROVED,
            "provider": PROVIDER,
            "amount_minor": AMOUNT_MINOR,
            "currency": CURRENCY,
            "started_at": at,
            "send_before": at + timedelta(seconds=2),
            "ask_count": 0,
            "ended_at": at,
            **columns,
        }
        self.rows[model].append(row)
        return row

    def post(self, kind: EntryKind, source: Source, at: datetime) -> None:
        """Add both sides of a posting."""
        self.rows[LedgerEntry] += entries_of(kind, self.payment.merchant_id, 0, source, at)

    def _tell(self, to: Destination, event_id: str, at: datetime, payload: str) -> None:
        self.rows[OutboxMessage].append(
            {
                "queue": to,
                "status": JobStatus.DONE,
                "attempts": 1,
                "next_attempt_at": at,
                "created_at": at,
                "done_at": at,
                "merchant_id": self.payment.merchant_id,
                "event_id": event_id,
                "payload": payload,
            }
        )


@dataclass(frozen=True)
class Posted:
    """What a posting of the whole amount comes from."""

    public_id: str
    provider: str = PROVIDER
    amount_minor: int = AMOUNT_MINOR
    currency: str = CURRENCY
