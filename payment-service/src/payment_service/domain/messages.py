"""Puts messages into the outbox, inside the transaction that decided what they say."""

from service_kit.db.rows import append_rows
from service_kit.web import strict_json
from service_kit.web.request_context import current_traceparent
from sqlalchemy.orm import Session

from payment_service.models.message import OutboxMessage
from payment_service.models.payment import Payment, PaymentEvent
from payment_service.values.statuses import Destination, Surface


def announce_paid(session: Session, payment: Payment, event: PaymentEvent) -> None:
    """Tell the lab's shop that its order is paid; a merchant's server follows its events."""
    if payment.surface != Surface.LAB:
        return
    order_update = {"order_id": int(payment.order_id), "is_paid": True, "payment_id": payment.id}
    row = {
        "queue": Destination.STORE_MANAGER.value,
        "merchant_id": event.merchant_id,
        "event_id": event.public_id,
        "payload": strict_json.dumps(order_update),
        "traceparent": current_traceparent(),
        "next_attempt_at": event.created_at,
        "created_at": event.created_at,
    }
    append_rows(session, OutboxMessage, [row])
