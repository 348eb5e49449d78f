"""How a payment of the bulk comes to its end, and what it leaves in other tables."""

from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from payment_service.domain.payments.events import EventKey
from payment_service.models.card import PaymentMethod, SealedCard
from payment_service.models.dispute import Dispute
from payment_service.models.idempotency_key import IdempotencyKey
from payment_service.models.message import InboxMessage
from payment_service.models.movement import Capture, PaymentAttempt, Refund, Void
from payment_service.models.payment import Payment
from payment_service.values.statuses import (
    AttemptKind,
    CaptureMethod,
    DisputeStatus,
    EntryKind,
    InboxOutcome,
    MovementState,
    PaymentStatus,
    Surface,
    VoidPurpose,
)
from service_kit.jobs.queue import JobStatus
from service_kit.web import strict_json

from tests.testkit.payments.bulk.story import AMOUNT, AMOUNT_MINOR, CURRENCY, PREFIX, PROVIDER, Posted, Story

_PERIOD = timedelta(hours=12)  # idempotency keys that are older would be pruned while somebody measures
_PER_PERIOD = 300_000


def tell_story(key: EventKey, merchant_id: int, number: int, first_created_at: datetime) -> Story:
    """Return the payment of this number, with everything that happened to it."""
    created_at = first_created_at + number % _PER_PERIOD * (_PERIOD / _PER_PERIOD)
    story = Story(key, number, _new_payment(merchant_id, number, created_at))
    story.happen("payment.created", 0, order_id=story.payment.order_id, **AMOUNT)
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
        public_id=f"pay_{PREFIX}{number:010}",
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
        checkout_token=f"{PREFIX}{number:028}",
        receipt_email=f"customer-{number % 5000}@shop.example",
        receipt_locale="fr",
        event_count=0,
        event_head="",
        created_at=created_at,
    )


def _charged(story: Story, state: str) -> dict[str, Any]:
    """Return what an event tells of the payment's attempt."""
    return {"attempt": story.id("att"), "attempt_state": state, "card_last4": "4242", **AMOUNT}


def _attempt(story: Story, kind: AttemptKind, state: MovementState, **columns: Any) -> None:
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
        return_token=f"{PREFIX}{story.number:028}",
        # Every row of one bulk insert has the same columns.
        **{"decline_code": None, "authorization_code": "A00001", **columns},
    )


def _complete(story: Story) -> None:
    _attempt(story, AttemptKind.SALE, MovementState.APPROVED)
    payment = story.payment
    payment.status = PaymentStatus.COMPLETED
    payment.authorized_minor = payment.captured_minor = AMOUNT_MINOR
    at = story.happen("payment.completed", 0.05, capture=story.id("cap"), **_charged(story, "approved"))
    payment.paid_at = at
    story.move(Capture, "cap", at, is_final=True)
    story.post(EntryKind.CAPTURED, Posted(story.id("cap")), at)


def _decline(story: Story) -> None:
    declined = {"decline_code": "do_not_honor", "authorization_code": None}
    _attempt(story, AttemptKind.SALE, MovementState.DECLINED, **declined)
    story.payment.status = PaymentStatus.FAILED
    story.happen("payment.failed", 0.05, decline_code="do_not_honor", **_charged(story, "declined"))


def _hold_and_void(story: Story) -> None:
    _attempt(story, AttemptKind.AUTHORIZATION, MovementState.APPROVED)
    story.payment.capture_method = CaptureMethod.MANUAL
    story.payment.status = PaymentStatus.CANCELLED
    story.payment.authorized_minor = AMOUNT_MINOR
    story.happen("payment.authorized", 0.05, **_charged(story, "approved"))
    told = {"void": story.id("void"), **AMOUNT}
    at = story.happen("void.requested", 60, movement_state=MovementState.SENDING, **told)
    story.move(Void, "void", at, purpose=VoidPurpose.CANCEL)
    story.happen("payment.cancelled", 60.05, movement_state=MovementState.APPROVED, **told)


def _refund(story: Story) -> None:
    story.payment.refunded_minor = AMOUNT_MINOR
    source = Posted(story.id("re"))
    told = {"refund": story.id("re"), **AMOUNT}
    at = story.happen("refund.requested", 60, movement_state=MovementState.SENDING, **told)
    story.post(EntryKind.REFUND_ASKED, source, at)
    story.move(Refund, "re", at)
    at = story.happen("refund.succeeded", 60.05, movement_state=MovementState.APPROVED, **told)
    story.post(EntryKind.REFUND_DONE, source, at)


def _dispute(story: Story) -> None:
    told = {
        "dispute": story.id("dp"),
        "movement": story.id("att"),
        "provider_dispute": story.id("dsp"),
        **AMOUNT,
    }
    source = Posted(story.id("dp"))
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


def _store_card(story: Story) -> None:
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


def _remember_key(story: Story) -> None:
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
