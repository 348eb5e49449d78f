"""Puts messages into the outbox, inside the transaction that decided what they say."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from service_kit import strict_json
from sqlalchemy.orm import Session

from payment_service.domain.merchant_directory import MerchantRecord
from payment_service.models.outbox_message import OutboxMessage
from payment_service.models.payments.payment import Payment
from payment_service.models.payments.payment_attempt import PaymentAttempt
from payment_service.models.payments.payment_event import PaymentEvent
from payment_service.values.statuses import Destination


def announce_paid(
    session: Session, merchant: MerchantRecord, payment: Payment, attempt: PaymentAttempt, event: PaymentEvent
) -> None:
    """Tell the shop that its order is paid, and the customer with a receipt."""
    order_update = {"order_id": int(payment.order_id), "is_paid": True, "payment_id": payment.id}
    _enqueue(session, event, Destination.STORE_MANAGER, order_update)
    receipt = _notification("payment_receipt", merchant, payment, attempt, event)
    _enqueue(session, event, Destination.NOTIFICATIONS, receipt)


def announce_reversal(
    session: Session, merchant: MerchantRecord, payment: Payment, attempt: PaymentAttempt, event: PaymentEvent
) -> None:
    """Tell the customer that money taken too late goes back."""
    message = _notification("payment_reversed", merchant, payment, attempt, event)
    _enqueue(session, event, Destination.NOTIFICATIONS, message)


def _notification(
    kind: str, merchant: MerchantRecord, payment: Payment, attempt: PaymentAttempt, event: PaymentEvent
) -> dict[str, Any]:
    return {
        "event_id": event.public_id,
        "type": kind,
        "locale": payment.receipt_locale,
        "recipient": {"email": payment.receipt_email, "user_id": payment.user_id},
        "data": {
            "payment_id": str(payment.id),
            "order_id": payment.order_id,
            "amount_minor": attempt.amount_minor,
            "currency": attempt.currency,
            "occurred_at": _timestamp(event.created_at),
            "merchant": {"name": merchant.name},
            "card": {"last4": attempt.card_last4},
            "authorization_code": attempt.authorization_code,
        },
    }


def _enqueue(session: Session, event: PaymentEvent, to: Destination, payload: Mapping[str, Any]) -> None:
    session.add(
        OutboxMessage(
            queue=to,
            merchant_id=event.merchant_id,
            event_id=event.public_id,
            payload=strict_json.dumps(payload),
            next_attempt_at=event.created_at,
            created_at=event.created_at,
        )
    )


def _timestamp(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
