"""For tests and benchmarks: many payments that came to their end, written by bulk inserts.

The n-th payment is always the same, so that filling which was interrupted goes on where it stopped.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from service_kit import strict_json
from service_kit.leased_queue import JobStatus
from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from payment_service.domain.books.postings import Source, entries_of
from payment_service.domain.outbox import EVENT_DESTINATIONS
from payment_service.domain.payments.actors import OPERATOR
from payment_service.domain.payments.events import EventKey, next_event
from payment_service.models.base import Base
from payment_service.models.books.ledger_entry import LedgerEntry
from payment_service.models.disputes.dispute import Dispute
from payment_service.models.idempotency_key import IdempotencyKey
from payment_service.models.outbox_message import OutboxMessage
from payment_service.models.payments.capture import Capture
from payment_service.models.payments.payment import Payment
from payment_service.models.payments.payment_attempt import PaymentAttempt
from payment_service.models.payments.payment_event import PaymentEvent
from payment_service.models.payments.refund import Refund
from payment_service.models.payments.void import Void
from payment_service.models.vault.payment_method import PaymentMethod
from payment_service.models.vault.sealed_card import SealedCard
from payment_service.models.webhooks.inbox_message import InboxMessage
from payment_service.values.books import EntryKind
from payment_service.values.statuses import (
    AttemptKind,
    CaptureMethod,
    Destination,
    DisputeStatus,
    InboxOutcome,
    MovementState,
    PaymentStatus,
    Surface,
    VoidPurpose,
)

AMOUNT_MINOR = 5950
CURRENCY = "MAD"
PROVIDER = "bank-simulator"
_AMOUNT = {"amount_minor": AMOUNT_MINOR, "currency": CURRENCY}
_PREFIX = "bulk"
_PERIOD = timedelta(hours=12)  # idempotency keys that are older would be pruned while somebody measures
_PER_PERIOD = 300_000
_AFTER_ATTEMPTS: tuple[type[Base], ...] = (
    PaymentEvent,
    Capture,
    Void,
    Refund,
    LedgerEntry,
    Dispute,
    OutboxMessage,
    IdempotencyKey,
    InboxMessage,
    PaymentMethod,
    SealedCard,
)
Rows = dict[type[Base], list[dict[str, Any]]]


@dataclass
class _Story:
    """One payment from its creation to its end, as rows; ``payment`` carries the chain's head."""

    key: EventKey
    number: int
    payment: Payment
    rows: Rows = field(default_factory=lambda: defaultdict(list))

    def id(self, prefix: str) -> str:
        """Return the public id of what belongs to this payment."""
        return f"{prefix}_{_PREFIX}{self.number:010}"

    def happen(self, kind: str, after_s: float, **data: Any) -> datetime:
        """Add an event, with what the outbox said of it, which everybody has."""
        at = self.payment.created_at + timedelta(seconds=after_s)
        event = next_event(self.key, self.payment, kind, at, data, actor=OPERATOR)
        columns = ("public_id", "merchant_id", "sequence", "type", "body", "mac", "key_id", "created_at")
        self.rows[PaymentEvent].append({name: getattr(event, name) for name in columns})
        for destination in EVENT_DESTINATIONS[kind]:
            self._tell(destination, event.public_id, at)
        if kind == "payment.completed":
            self._tell(Destination.NOTIFICATIONS, event.public_id, at, '{"type": "payment_receipt"}')
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

    def _tell(self, to: Destination, event_id: str, at: datetime, payload: str = "") -> None:
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
class _Posted:
    public_id: str
    provider: str = PROVIDER
    amount_minor: int = AMOUNT_MINOR
    currency: str = CURRENCY


def fill(
    session: Session, key: EventKey, merchant_id: int, numbers: range, first_created_at: datetime
) -> None:
    """Write the payments of these numbers, with everything that belongs to them, in this transaction."""
    stories = [_tell_story(key, merchant_id, number, first_created_at) for number in numbers]
    columns = [column.key for column in Payment.__table__.columns if column.key != "id"]
    payments = [{name: getattr(story.payment, name) for name in columns} for story in stories]
    payment_ids = _insert(session, Payment, payments)
    attempts = [
        {**row, "payment_id": payment_ids[story.payment.public_id]}
        for story in stories
        for row in story.rows[PaymentAttempt]
    ]
    attempt_ids = _insert(session, PaymentAttempt, attempts)
    for model in _AFTER_ATTEMPTS:
        rows = [
            row | _links(model, payment_ids[story.payment.public_id], attempt_ids[story.id("att")])
            for story in stories
            for row in story.rows[model]
        ]
        if rows:
            session.execute(insert(model), rows)


def count_filled(session: Session) -> int:
    """Return how many payments ``fill`` has written so far."""
    found = select(func.count()).where(Payment.public_id.between(f"pay_{_PREFIX}", f"pay_{_PREFIX}~"))
    return session.scalars(found).one()


def _links(model: type[Base], payment_id: int, attempt_id: int) -> dict[str, int]:
    keys = {"payment_id": payment_id, "attempt_id": attempt_id}
    return {name: key for name, key in keys.items() if name in model.__table__.columns}


def _insert(
    session: Session, model: type[Payment | PaymentAttempt], rows: list[dict[str, Any]]
) -> dict[str, int]:
    """Insert rows and return their keys by public id: MySQL does not tell them by itself."""
    session.execute(insert(model), rows)
    names = [row["public_id"] for row in rows]
    found = session.execute(select(model.public_id, model.id).where(model.public_id.in_(names)))
    return {row.public_id: row.id for row in found}


def _tell_story(key: EventKey, merchant_id: int, number: int, first_created_at: datetime) -> _Story:
    created_at = first_created_at + number % _PER_PERIOD * (_PERIOD / _PER_PERIOD)
    story = _Story(key, number, _new_payment(merchant_id, number, created_at))
    story.happen("payment.created", 0, order_id=story.payment.order_id, **_AMOUNT)
    if number % 10 == 0:
        _store_card(story)
    _remember_key(story)
    story.happen("payment.processing", 0.01, attempt=story.id("att"), card_last4="4242")
    if number % 20 == 7:
        _decline(story)
    elif number % 20 == 11:
        _hold_and_void(story)
    else:
        _complete(story)
        if number % 20 == 3:
            _refund(story)
        if number % 50 == 10:
            _dispute(story)
    return story


def _new_payment(merchant_id: int, number: int, created_at: datetime) -> Payment:
    return Payment(
        public_id=f"pay_{_PREFIX}{number:010}",
        merchant_id=merchant_id,
        surface=Surface.V1,
        order_id=f"order-{number}",
        user_id=f"customer-{number % 5000}",
        amount_minor=AMOUNT_MINOR,
        currency=CURRENCY,
        capture_method=CaptureMethod.AUTOMATIC,
        status=PaymentStatus.PENDING,
        authorized_minor=0,
        captured_minor=0,
        capturing_minor=0,
        refunded_minor=0,
        refunding_minor=0,
        disputed_minor=0,
        charged_back_minor=0,
        checkout_token=f"{_PREFIX}{number:028}",
        receipt_email=f"customer-{number % 5000}@shop.example",
        receipt_locale="fr",
        event_count=0,
        event_head="",
        created_at=created_at,
    )


def _charged(story: _Story, state: str) -> dict[str, Any]:
    """Return what an event tells of the payment's attempt."""
    return {"attempt": story.id("att"), "attempt_state": state, "card_last4": "4242", **_AMOUNT}


def _attempt(story: _Story, kind: AttemptKind, state: MovementState, **columns: Any) -> None:
    story.move(
        PaymentAttempt,
        "att",
        story.payment.created_at,
        kind=kind,
        state=state,
        claimed_from=PaymentStatus.PENDING,
        card_fingerprint=sha256(str(story.number % 5000).encode()).hexdigest(),
        card_bin="424242",
        card_last4="4242",
        fraud_decision="approve",
        fraud_reasons="[]",
        return_token=f"{_PREFIX}{story.number:028}",
        # Every row of one bulk insert has the same columns.
        **{"decline_code": None, "authorization_code": "A00001", **columns},
    )


def _complete(story: _Story) -> None:
    _attempt(story, AttemptKind.SALE, MovementState.APPROVED)
    payment = story.payment
    payment.status = PaymentStatus.COMPLETED
    payment.authorized_minor = payment.captured_minor = AMOUNT_MINOR
    at = story.happen("payment.completed", 0.05, capture=story.id("cap"), **_charged(story, "approved"))
    payment.paid_at = at
    story.move(Capture, "cap", at, is_final=True)
    story.post(EntryKind.CAPTURED, _Posted(story.id("cap")), at)


def _decline(story: _Story) -> None:
    declined = {"decline_code": "do_not_honor", "authorization_code": None}
    _attempt(story, AttemptKind.SALE, MovementState.DECLINED, **declined)
    story.payment.status = PaymentStatus.FAILED
    story.happen("payment.failed", 0.05, decline_code="do_not_honor", **_charged(story, "declined"))


def _hold_and_void(story: _Story) -> None:
    _attempt(story, AttemptKind.AUTHORIZATION, MovementState.APPROVED)
    story.payment.capture_method = CaptureMethod.MANUAL
    story.payment.status = PaymentStatus.CANCELLED
    story.payment.authorized_minor = AMOUNT_MINOR
    story.happen("payment.authorized", 0.05, **_charged(story, "approved"))
    told = {"void": story.id("void"), **_AMOUNT}
    at = story.happen("void.requested", 60, movement_state=MovementState.SENDING, **told)
    story.move(Void, "void", at, purpose=VoidPurpose.CANCEL)
    story.happen("payment.cancelled", 60.05, movement_state=MovementState.APPROVED, **told)


def _refund(story: _Story) -> None:
    story.payment.refunded_minor = AMOUNT_MINOR
    source = _Posted(story.id("re"))
    told = {"refund": story.id("re"), **_AMOUNT}
    at = story.happen("refund.requested", 60, movement_state=MovementState.SENDING, **told)
    story.post(EntryKind.REFUND_ASKED, source, at)
    story.move(Refund, "re", at)
    at = story.happen("refund.succeeded", 60.05, movement_state=MovementState.APPROVED, **told)
    story.post(EntryKind.REFUND_DONE, source, at)


def _dispute(story: _Story) -> None:
    told = {
        "dispute": story.id("dp"),
        "movement": story.id("att"),
        "provider_dispute": story.id("dsp"),
        **_AMOUNT,
    }
    source = _Posted(story.id("dp"))
    at = story.happen("dispute.opened", 60, status=DisputeStatus.OPENED, **told)
    story.post(EntryKind.DISPUTE_OPENED, source, at)
    at = story.happen("dispute.won", 120, status=DisputeStatus.WON, **told)
    story.post(EntryKind.DISPUTE_WON, source, at)
    story.rows[Dispute].append(
        {
            "public_id": story.id("dp"),
            "merchant_id": story.payment.merchant_id,
            "payment_public_id": story.payment.public_id,
            "movement": story.id("att"),
            "provider": PROVIDER,
            "provider_dispute_id": story.id("dsp"),
            "status": DisputeStatus.WON,
            "amount_minor": AMOUNT_MINOR,
            "currency": CURRENCY,
            "created_at": story.payment.created_at,
            "closed_at": at,
        }
    )
    story.rows[InboxMessage].append(
        {
            "queue": PROVIDER,
            "status": JobStatus.DONE,
            "attempts": 1,
            "next_attempt_at": at,
            "created_at": at,
            "done_at": at,
            "event_id": story.id("evt"),
            "body": "{}",
            "outcome": InboxOutcome.APPLIED,
        }
    )


def _store_card(story: _Story) -> None:
    """A stored card that cannot be opened: nobody sealed a number."""
    common = {"merchant_id": story.payment.merchant_id, "created_at": story.payment.created_at}
    story.rows[PaymentMethod].append(
        {
            **common,
            "public_id": story.id("pm"),
            "customer_id": story.payment.user_id,
            "card_brand": "visa",
            "card_bin": "424242",
            "card_last4": "4242",
            "exp_month": 1,
            "exp_year": 2030,
        }
    )
    story.rows[SealedCard].append(
        {
            **common,
            "owner": story.id("pm"),
            "purpose": "payment_method",
            "key_id": "gone",
            "wrapped_key": "",
            "sealed": "",
        }
    )


def _remember_key(story: _Story) -> None:
    payment = story.payment
    story.rows[IdempotencyKey].append(
        {
            "key_hash": sha256(payment.public_id.encode()).hexdigest(),
            "merchant_id": payment.merchant_id,
            "fingerprint": sha256(payment.order_id.encode()).hexdigest(),
            "resource_id": payment.public_id,
            "created_at": payment.created_at,
            "leased_until": payment.created_at,
            "answer_status": 201,
            "answer_body": strict_json.dumps({"id": payment.public_id, "object": "payment"}),
            "answer_content_type": "application/json",
            "answer_location": f"/v1/payments/{payment.public_id}",
        }
    )
