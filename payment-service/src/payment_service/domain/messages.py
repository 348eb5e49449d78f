"""Puts messages into the outbox, inside the transaction that decided what they say."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from service_kit.db.rows import append_rows
from service_kit.web import strict_json
from sqlalchemy.orm import Session

from payment_service.domain.merchant_directory import MerchantRecord
from payment_service.models.message import OutboxMessage
from payment_service.models.movement import PaymentAttempt
from payment_service.models.payment import Payment, PaymentEvent
from payment_service.values.statuses import Destination, Surface

_OTHERS = (Destination.EVENTS,)
_OTHERS_AND_FRAUD = (Destination.EVENTS, Destination.FRAUD_OUTCOMES)
# Every type of event and its destinations: merchants get all of them, fraud-service what became of the money.
EVENT_DESTINATIONS: Mapping[str, tuple[Destination, ...]] = {
    "payment.created": _OTHERS,
    "payment.processing": _OTHERS,
    "payment.released": _OTHERS,
    "payment.failed": _OTHERS,
    "payment.requires_action": _OTHERS,
    "payment.in_review": _OTHERS,
    "payment.review_approved": _OTHERS,
    "payment.review_rejected": _OTHERS,
    "payment.authorized": _OTHERS,
    "payment.captured": _OTHERS_AND_FRAUD,
    "payment.completed": _OTHERS_AND_FRAUD,
    "payment.cancelled": _OTHERS,
    "payment.expired": _OTHERS,
    "payment.late_approval": _OTHERS,
    "payment.reversed": _OTHERS,
    "payment.reversal_refused": _OTHERS,
    "capture.requested": _OTHERS,
    "capture.failed": _OTHERS,
    "void.requested": _OTHERS,
    "void.failed": _OTHERS,
    "refund.requested": _OTHERS,
    "refund.succeeded": _OTHERS_AND_FRAUD,
    "refund.failed": _OTHERS,
    "dispute.opened": _OTHERS_AND_FRAUD,
    "dispute.won": _OTHERS_AND_FRAUD,
    "dispute.lost": _OTHERS_AND_FRAUD,
    "dispute.contradicted": _OTHERS,
    "attempt.contradicted": _OTHERS,
    "movement.amount_differs": _OTHERS,
    "movement.contradicted": _OTHERS,
}
# Those of notification-service.
RECEIPT_LANGUAGES = frozenset({"fr", "en"})
# What is sent is the event itself, as it was sealed: it is read when it is sent, and not written twice.
_THE_EVENT_ITSELF = ""


def pass_on(session: Session, event: PaymentEvent) -> None:
    """Queue the event for every destination of its type."""
    # Not even a type that somebody forgot in the table may undo what the event tells of; tests find it.
    destinations = EVENT_DESTINATIONS.get(event.type, _OTHERS)
    _enqueue(session, event, dict.fromkeys(destinations, _THE_EVENT_ITSELF))


def announce_paid(
    session: Session, merchant: MerchantRecord, payment: Payment, attempt: PaymentAttempt, event: PaymentEvent
) -> None:
    """Tell the customer with a receipt, and the lab's shop that its order is paid.

    A merchant's customer without an address gets none; the lab's gets one at ``LAB_RECEIPT_ADDRESS``.
    """
    payloads = {}
    if payment.surface == Surface.LAB:
        order_update = {"order_id": int(payment.order_id), "is_paid": True, "payment_id": payment.id}
        payloads[Destination.STORE_MANAGER] = strict_json.dumps(order_update)
    elif payment.receipt_email is None:
        return
    # Of a hold perhaps only a part was captured.
    receipt = _notification("payment_receipt", merchant, payment, attempt, event, payment.captured_minor)
    payloads[Destination.NOTIFICATIONS] = strict_json.dumps(receipt)
    _enqueue(session, event, payloads)


def announce_reversal(
    session: Session, merchant: MerchantRecord, payment: Payment, attempt: PaymentAttempt, event: PaymentEvent
) -> None:
    """Tell the customer that money taken too late goes back; see ``announce_paid`` for who has no address."""
    if payment.surface != Surface.LAB and payment.receipt_email is None:
        return
    message = _notification("payment_reversed", merchant, payment, attempt, event, attempt.amount_minor)
    _enqueue(session, event, {Destination.NOTIFICATIONS: strict_json.dumps(message)})


def _notification(
    kind: str,
    merchant: MerchantRecord,
    payment: Payment,
    attempt: PaymentAttempt,
    event: PaymentEvent,
    amount_minor: int,
) -> dict[str, Any]:
    return {
        "event_id": event.public_id,
        "type": kind,
        "locale": _language(payment, merchant),
        "recipient": {"email": payment.receipt_email, "user_id": payment.user_id.strip() or None},
        "data": {
            "payment_id": str(payment.id) if payment.surface == Surface.LAB else payment.public_id,
            "order_id": payment.order_id.strip() or payment.public_id,
            "amount_minor": amount_minor,
            "currency": attempt.currency,
            "occurred_at": _timestamp(event.created_at),
            "merchant": {"name": merchant.name},
            "card": {"last4": attempt.card_last4},
            "authorization_code": attempt.authorization_code,
        },
    }


def _language(payment: Payment, merchant: MerchantRecord) -> str:
    """Return the customer's language if receipts are written in it, otherwise the merchant's."""
    language = payment.receipt_locale.partition("-")[0]
    return language if language in RECEIPT_LANGUAGES else merchant.locale


def _enqueue(session: Session, event: PaymentEvent, payloads: Mapping[Destination, str]) -> None:
    """Insert the messages with those of the other events of this transaction."""
    rows = [
        {
            "queue": destination.value,
            "merchant_id": event.merchant_id,
            "event_id": event.public_id,
            "payload": payload,
            "next_attempt_at": event.created_at,
            "created_at": event.created_at,
        }
        for destination, payload in payloads.items()
    ]
    append_rows(session, OutboxMessage, rows)


def _timestamp(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
