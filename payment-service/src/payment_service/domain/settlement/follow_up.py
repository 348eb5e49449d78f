"""Follow-ups: what is done with an approved sale or hold. Capture, void and refund have one shape."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from payment_service.domain.payments.events import record_event
from payment_service.domain.settlement.context import Rules
from payment_service.models.movement import Capture, Movement, PaymentAttempt, Refund, Void
from payment_service.models.payment import Payment, PaymentEvent
from payment_service.values.statuses import OPEN_STATES, AttemptKind, MovementState

FollowUp = Capture | Void | Refund
F = TypeVar("F", bound=FollowUp)
# By what events name each kind.
KINDS: Mapping[type[Movement], str] = {Capture: "capture", Void: "void", Refund: "refund"}


@dataclass(frozen=True, slots=True)
class NewMovement:
    """A movement as it is written down before anybody is called; everything in it was made beforehand."""

    public_id: str
    actor: str
    started_at: datetime
    send_before: datetime
    next_ask_at: datetime


@dataclass(frozen=True, slots=True)
class FollowUpScene(Generic[F]):
    """A follow-up and its payment, both locked; ``actor`` is who asked for it or who brought the news."""

    session: Session
    rules: Rules
    payment: Payment
    movement: F
    now: datetime
    actor: str

    def keep_asking(self) -> None:
        """Let the janitor ask again, later and later."""
        movement = self.movement
        movement.next_ask_at = self.rules.inquiries.next_ask_at(
            movement.started_at, movement.ask_count, self.now
        )

    def attempt(self) -> PaymentAttempt:
        """Return the sale or authorisation that it follows."""
        return self.session.get_one(PaymentAttempt, self.movement.attempt_id)

    def record(self, event_type: str, **more: str | int | None) -> PaymentEvent:
        """Append an event that tells of this movement."""
        movement = self.movement
        data = {
            KINDS[type(movement)]: movement.public_id,
            "movement_state": movement.state,
            "amount_minor": movement.amount_minor,
            "currency": movement.currency,
            "reason": None if isinstance(movement, Capture) else movement.reason,
            "decline_code": movement.decline_code,
            "detail": movement.last_error,
            **more,
        }
        known = {name: value for name, value in data.items() if value is not None}
        return record_event(
            self.session, self.rules.event_key, self.payment, event_type, self.now, known, actor=self.actor
        )


def begin(session: Session, rules: Rules, payment: Payment, movement: F, new: NewMovement) -> None:
    """Write the movement down with all that is the same for each kind, and that it was asked for."""
    movement.public_id = new.public_id
    movement.merchant_id = payment.merchant_id
    movement.payment_id = payment.id
    movement.state = MovementState.SENDING
    movement.currency = payment.currency
    movement.started_at = new.started_at
    movement.send_before = new.send_before
    movement.next_ask_at = new.next_ask_at
    session.add(movement)
    scene = FollowUpScene(session, rules, payment, movement, new.started_at, new.actor)
    scene.record(f"{KINDS[type(movement)]}.requested")


def successful_attempt(session: Session, payment: Payment) -> PaymentAttempt:
    """Return the attempt whose money a payment that succeeded holds or took.

    There is one: whatever else a bank approved for the payment came too late and goes back.
    """
    given_back = select(PaymentAttempt.reversal_of).where(
        PaymentAttempt.payment_id == payment.id, PaymentAttempt.kind == AttemptKind.REVERSAL
    )
    return session.scalars(
        select(PaymentAttempt).where(
            PaymentAttempt.payment_id == payment.id,
            PaymentAttempt.kind != AttemptKind.REVERSAL,
            PaymentAttempt.state == MovementState.APPROVED,
            PaymentAttempt.public_id.not_in(given_back),
        )
    ).one()


def has_open(session: Session, payment: Payment, model: type[FollowUp]) -> bool:
    """Whether a movement of this kind is open on the payment, whose lock the caller holds."""
    open_one = select(model.id).where(model.payment_id == payment.id, model.state.in_(OPEN_STATES)).limit(1)
    return session.scalar(open_one) is not None
