"""Stores a new payment with the first link of its chain of events."""

from sqlalchemy.orm import Session

from payment_service.domain.payments.events import EventKey, next_event, store_event
from payment_service.models.payments.payment import Payment
from payment_service.models.payments.payment_event import PaymentEvent


def store_new_payment(session: Session, key: EventKey, payment: Payment, *, actor: str) -> None:
    """Insert the payment and its ``payment.created``."""
    event = creation_of(key, payment, actor=actor)
    session.add(payment)
    session.flush()
    event.payment_id = payment.id
    store_event(session, event)


def creation_of(key: EventKey, payment: Payment, *, actor: str) -> PaymentEvent:
    """Return the first event of a payment that is not stored yet; it seals the first head."""
    data = {
        "order_id": payment.order_id,
        "amount_minor": payment.amount_minor,
        "currency": payment.currency,
    }
    return next_event(key, payment, "payment.created", payment.created_at, data, actor=actor)
