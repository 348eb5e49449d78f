"""Puts messages into the outbox, inside the transaction that decided what they say."""

from collections.abc import Mapping, Sequence
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

# The events that fraud-service hears of, and what each means there.
OUTCOME_KINDS: Mapping[str, str] = {
    "payment.captured": "captured",
    "payment.completed": "captured",
    "refund.succeeded": "refunded",
    "dispute.opened": "disputed",
    "dispute.won": "dispute_won",
    "dispute.lost": "charged_back",
}
# Those of notification-service.
RECEIPT_LANGUAGES = frozenset({"fr", "en"})
# What is sent is the event itself, as it was sealed: it is read when it is sent, and not written twice.
_THE_EVENT_ITSELF = ""


def pass_on(session: Session, event: PaymentEvent) -> None:
    """Queue the event for every destination of its type."""
    _enqueue(session, event, dict.fromkeys(destinations_of(event.type), _THE_EVENT_ITSELF))


def destinations_of(event_type: str) -> Sequence[Destination]:
    """Return the queues: notification-service gets every event, fraud-service what became of the money."""
    outcomes = [Destination.FRAUD_OUTCOMES] if event_type in OUTCOME_KINDS else []
    return [Destination.EVENTS, *outcomes]


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
