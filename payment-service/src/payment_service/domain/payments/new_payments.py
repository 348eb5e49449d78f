"""Stores a new payment with the first link of its chain of events."""

from sqlalchemy.orm import Session

from payment_service.domain.payments.events import EventKey, next_event, store_event
from payment_service.models.payments.payment import Payment


def store_new_payment(session: Session, key: EventKey, payment: Payment, *, actor: str) -> None:
    """Insert the payment and its ``payment.created``; its event seals the first head."""
    data = {
        "order_id": payment.order_id,
        "amount_minor": payment.amount_minor,
        "currency": payment.currency,
    }
    event = next_event(key, payment, "payment.created", payment.created_at, data, actor=actor)
    session.add(payment)
    session.flush()
    event.payment_id = payment.id
    store_event(session, event)
