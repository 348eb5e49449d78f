"""Movements of money as they are written down, before anybody is called."""

from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from service_kit.deadlines import Deadline

from payment_service.models.movement import AnyMovement
from payment_service.models.payment import Payment
from payment_service.values.statuses import MovementState

M = TypeVar("M", bound=AnyMovement)


@dataclass(frozen=True, slots=True)
class NewMovement:
    """A movement that begins now; everything in it was drawn before the transaction that writes it down.

    ``send_before`` says on the wall clock, for the janitor, what ``send_deadline`` says to the sender: until
    when its call may begin.
    """

    public_id: str
    actor: str
    started_at: datetime
    send_before: datetime
    next_ask_at: datetime
    send_deadline: Deadline


@dataclass(frozen=True, slots=True)
class NewAttempt:
    """An attempt to pay that begins now: its movement, and what is remembered of the card and the payer."""

    movement: NewMovement
    provider: str
    card_fingerprint: str
    card_bin: str
    card_last4: str
    return_token: str
    form_key: str | None = None
    payment_method: str | None = None
    receipt_email: str | None = None
    receipt_locale: str | None = None


def write_down(movement: M, payment: Payment, new: NewMovement, state: MovementState) -> M:
    """Fill in what is the same for every kind of movement, and return it; the payment's lock is held."""
    movement.public_id = new.public_id
    movement.merchant_id = payment.merchant_id
    movement.payment_id = payment.id
    movement.state = state
    movement.currency = payment.currency
    movement.started_at = new.started_at
    movement.send_before = new.send_before
    movement.next_ask_at = new.next_ask_at
    return movement
