"""One settlement: a movement and its payment, both locked, and what every part of settling needs."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic

from sqlalchemy.orm import Session

from payment_service.domain.merchant_directory import MerchantDirectory, MerchantRecord
from payment_service.domain.payments.events import EventKey, record_event
from payment_service.domain.payments.locks import Model
from payment_service.domain.payments.schedules import InquirySchedule
from payment_service.domain.payments.transitions import MovementKind, change_state, kind_of
from payment_service.models.movement import PaymentAttempt
from payment_service.models.payment import Payment, PaymentEvent
from payment_service.values.statuses import MovementState
from payment_service.vault.vault import forget_card

# What events tell of a movement where its row knows it, in this order.
_TOLD = (
    "amount_minor",
    "currency",
    "card_last4",
    "reason",
    "fraud_decision",
    "fraud_reasons",
    "decline_code",
    "authorization_code",
    "three_ds_status",
    "three_ds_eci",
    "liability",
)


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """How long a payment may wait in each state in which somebody else must act."""

    requires_action: timedelta
    in_review: timedelta
    hold: timedelta


@dataclass(frozen=True, slots=True)
class SettlementPolicy:
    """What settling goes by, the same for every payment."""

    event_key: EventKey
    inquiries: InquirySchedule
    merchants: MerchantDirectory
    lifetimes: Lifetimes


@dataclass(frozen=True, slots=True)
class SettlementContext(Generic[Model]):
    """A movement and its payment, both locked; ``actor`` is who asked for it or who brought the news."""

    session: Session
    policy: SettlementPolicy
    payment: Payment
    movement: Model
    now: datetime
    actor: str

    @property
    def merchant(self) -> MerchantRecord:
        """Whose payment it is."""
        return self.policy.merchants.get(self.session, self.payment.merchant_id)

    def end(self, state: MovementState) -> None:
        """Close the movement; a card that was kept for its review is kept no longer."""
        movement = self.movement
        change_state(movement, state)
        movement.ended_at = self.now
        movement.next_ask_at = None
        if isinstance(movement, PaymentAttempt) and movement.held_at is not None:
            forget_card(self.session, movement.public_id)

    def keep_inquiring(self) -> None:
        """Let the janitor ask again, later and later."""
        movement, inquiries = self.movement, self.policy.inquiries
        movement.next_ask_at = inquiries.next_ask_at(movement.started_at, movement.ask_count, self.now)

    def record(self, event_type: str, **more: str | int | None) -> PaymentEvent:
        """Append an event that tells of this movement."""
        movement, kind = self.movement, kind_of(self.movement)
        is_attempt = isinstance(movement, PaymentAttempt)
        data = {
            MovementKind.CHARGE if is_attempt else kind: movement.public_id,
            "attempt_state" if is_attempt else "movement_state": movement.state,
            **{name: getattr(movement, name, None) for name in _TOLD},
            "detail": movement.last_error,
            **more,
        }
        return record_event(
            self.session, self.policy.event_key, self.payment, event_type, self.now, data, actor=self.actor
        )
