"""One settlement: whose it is, when, and what every part of it needs."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from payment_service.domain.merchant_directory import MerchantDirectory, MerchantRecord
from payment_service.domain.payments.events import EventKey, record_event
from payment_service.domain.payments.schedules import InquirySchedule
from payment_service.domain.payments.transitions import change_attempt_state
from payment_service.models.movement import PaymentAttempt
from payment_service.models.payment import Payment, PaymentEvent
from payment_service.values.statuses import MovementState
from payment_service.vault.vault import Vault


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """How long a payment may wait in each state in which somebody else must act."""

    requires_action: timedelta
    in_review: timedelta
    hold: timedelta


@dataclass(frozen=True, slots=True)
class Rules:
    """What settling goes by, the same for every payment."""

    event_key: EventKey
    inquiries: InquirySchedule
    merchants: MerchantDirectory
    lifetimes: Lifetimes
    vault: Vault


@dataclass(frozen=True, slots=True)
class Scene:
    """An attempt and its payment, both locked; ``actor`` is who brought the news."""

    session: Session
    rules: Rules
    payment: Payment
    attempt: PaymentAttempt
    now: datetime
    actor: str

    @property
    def merchant(self) -> MerchantRecord:
        """Whose payment it is."""
        return self.rules.merchants.get(self.session, self.payment.merchant_id)

    def end(self, state: MovementState) -> None:
        """Close the attempt; a card that was kept for its review is kept no longer."""
        change_attempt_state(self.attempt, state)
        self.attempt.end(state, self.now)
        if self.attempt.held_at is not None:
            self.rules.vault.delete(self.session, self.attempt.public_id)

    def keep_asking(self) -> None:
        """Let the janitor ask again, later and later."""
        attempt = self.attempt
        attempt.next_ask_at = self.rules.inquiries.next_ask_at(
            attempt.started_at, attempt.ask_count, self.now
        )

    def record(self, event_type: str, **more: str | int | None) -> PaymentEvent:
        """Append an event that tells of this attempt."""
        attempt = self.attempt
        data = {
            "attempt": attempt.public_id,
            "attempt_state": attempt.state,
            "amount_minor": attempt.amount_minor,
            "currency": attempt.currency,
            "card_last4": attempt.card_last4,
            "fraud_decision": attempt.fraud_decision,
            "fraud_reasons": attempt.fraud_reasons,
            "decline_code": attempt.decline_code,
            "authorization_code": attempt.authorization_code,
            "three_ds_status": attempt.three_ds_status,
            "three_ds_eci": attempt.three_ds_eci,
            "liability": attempt.liability,
            "detail": attempt.last_error,
            **more,
        }
        known = {name: value for name, value in data.items() if value is not None}
        return record_event(
            self.session, self.rules.event_key, self.payment, event_type, self.now, known, actor=self.actor
        )
