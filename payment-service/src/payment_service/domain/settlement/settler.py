"""Settling an attempt: the one place where what a provider said changes what we hold for true.

The sending thread and the janitor come here, and later webhooks and the returns of 3-D Secure.
The rules, and why they are so, are in docs/adr/0005.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from payment_service.domain.merchant_directory import MerchantDirectory
from payment_service.domain.outbox import announce_paid, announce_reversal
from payment_service.domain.payments.asks import AskSchedule
from payment_service.domain.payments.events import EventKey, record_event
from payment_service.domain.payments.fraud_policy import Course, Verdict
from payment_service.domain.payments.locks import lock_attempt, lock_payment
from payment_service.domain.payments.transitions import change_status
from payment_service.domain.settlement.sale_captures import record_sale_capture
from payment_service.models.payments.payment import Payment
from payment_service.models.payments.payment_attempt import PaymentAttempt
from payment_service.models.payments.payment_event import PaymentEvent
from payment_service.providers.port import Outcome, ProviderResult
from payment_service.values.statuses import AttemptKind, MovementState, PaymentStatus
from payment_service.vault.vault import Vault

log = structlog.get_logger(__name__)

NO_NEWS = frozenset({Outcome.PENDING, Outcome.NOT_FOUND})
SURELY_NOT_CHARGED: Mapping[Outcome, MovementState] = {
    Outcome.NOT_SENT: MovementState.NOT_SENT,
    Outcome.ABANDONED: MovementState.ABANDONED,
}
FINAL_STATES: Mapping[Outcome, MovementState] = {
    Outcome.APPROVED: MovementState.APPROVED,
    Outcome.DECLINED: MovementState.DECLINED,
    **SURELY_NOT_CHARGED,
}


@dataclass(frozen=True, slots=True)
class Settlement:
    """How things stand after settling: read, not to be changed."""

    payment: Payment
    attempt: PaymentAttempt


@dataclass(frozen=True, slots=True)
class Settler:
    """Settles attempts inside the caller's transaction."""

    event_key: EventKey
    asks: AskSchedule
    merchants: MerchantDirectory
    vault: Vault

    def decide(
        self, session: Session, payment_id: int, attempt_id: int, verdict: Verdict, now: datetime
    ) -> Settlement:
        """Write down what fraud-service's answer means; the attempt may be sent only if it is SENDING then.

        Fence: an attempt that somebody else ended meanwhile stays as it is.
        """
        payment = lock_payment(session, payment_id)
        attempt = lock_attempt(session, attempt_id)
        if attempt.state != MovementState.ASSESSING:
            return Settlement(payment, attempt)
        attempt.fraud_decision = verdict.fraud_decision
        attempt.fraud_reasons = verdict.fraud_reasons
        if verdict.course is Course.SEND:
            attempt.state = MovementState.SENDING
        elif verdict.course is Course.REFUSE:
            _end(attempt, MovementState.FAILED, now)
            attempt.decline_code = "fraudulent"
            self._release(session, payment, attempt, Outcome.DECLINED, now)
        else:
            _end(attempt, MovementState.NOT_SENT, now)
            self._release(session, payment, attempt, Outcome.NOT_SENT, now)
        return Settlement(payment, attempt)

    def settle(
        self,
        session: Session,
        payment_id: int,
        attempt_id: int,
        result: ProviderResult,
        now: datetime,
        *,
        seen_state: MovementState | None = None,
    ) -> Settlement:
        """Apply ``result`` once, whoever brings it and however often.

        Open attempt: applied. Final and equal: nothing. No news never overwrites. An approval that comes
        too late is given back. Any other difference: an event and an alert, no change.

        ``seen_state`` is the state that led to NOT_SENT: a sender who went on meanwhile is not undone.
        """
        payment = lock_payment(session, payment_id)
        attempt = lock_attempt(session, attempt_id)
        if result.outcome is Outcome.NOT_SENT and seen_state not in {None, attempt.state}:
            return Settlement(payment, attempt)
        if attempt.is_open and attempt.kind == AttemptKind.REVERSAL:
            self._apply_to_reversal(session, payment, attempt, result, now)
        elif attempt.is_open:
            self._apply_to_sale(session, payment, attempt, result, now)
        elif result.outcome not in NO_NEWS | {Outcome.NOT_SENT}:
            self._compare_with_final(session, payment, attempt, result, now)
        return Settlement(payment, attempt)

    def _apply_to_sale(
        self,
        session: Session,
        payment: Payment,
        attempt: PaymentAttempt,
        result: ProviderResult,
        now: datetime,
    ) -> None:
        outcome = result.outcome
        attempt.last_error = result.detail and result.detail[:255]
        if outcome in NO_NEWS or (outcome is Outcome.NOT_SENT and attempt.state == MovementState.UNKNOWN):
            # After one unknown try a movement stays unknown, whatever a later try met.
            self._keep_asking(attempt, now)
        elif outcome is Outcome.APPROVED and payment.status == PaymentStatus.PROCESSING:
            self._complete(session, payment, attempt, result, now)
        elif outcome is Outcome.APPROVED:
            _end(attempt, MovementState.APPROVED, now)
            self._give_back(session, payment, attempt, now)
        else:
            _end(attempt, FINAL_STATES[outcome], now)
            attempt.decline_code = result.decline_code if outcome is Outcome.DECLINED else None
            if payment.status == PaymentStatus.PROCESSING:
                self._release(session, payment, attempt, outcome, now)

    def _complete(
        self,
        session: Session,
        payment: Payment,
        attempt: PaymentAttempt,
        result: ProviderResult,
        now: datetime,
    ) -> None:
        _end(attempt, MovementState.APPROVED, now)
        attempt.authorization_code = result.authorization_code
        change_status(payment, PaymentStatus.COMPLETED)
        payment.paid_at = now
        record_sale_capture(session, payment, attempt, now)
        event = self._record(session, payment, attempt, "payment.completed", now)
        announce_paid(session, self.merchants.get(session, payment.merchant_id), payment, attempt, event)

    def _release(
        self, session: Session, payment: Payment, attempt: PaymentAttempt, outcome: Outcome, now: datetime
    ) -> None:
        if outcome in SURELY_NOT_CHARGED:
            change_status(payment, PaymentStatus(attempt.claimed_from))
            self._record(session, payment, attempt, "payment.released", now)
        else:
            change_status(payment, PaymentStatus.FAILED)
            self._record(session, payment, attempt, "payment.failed", now)

    def _keep_asking(self, attempt: PaymentAttempt, now: datetime) -> None:
        if attempt.state == MovementState.SENDING and attempt.kind == AttemptKind.SALE:
            attempt.state = MovementState.UNKNOWN
        attempt.next_ask_at = self.asks.next_ask_at(attempt.started_at, attempt.ask_count, now)

    def _give_back(self, session: Session, payment: Payment, attempt: PaymentAttempt, now: datetime) -> None:
        """Begin the reversal of a late approval: a movement of its own, which the janitor carries out."""
        if session.scalar(select(PaymentAttempt.id).where(PaymentAttempt.reversal_of == attempt.public_id)):
            return
        log.error("late_approval", payment=payment.public_id, attempt=attempt.public_id)
        self._record(session, payment, attempt, "payment.late_approval", now)
        session.add(
            PaymentAttempt(
                public_id=f"{attempt.public_id}_reversal",
                merchant_id=payment.merchant_id,
                payment_id=payment.id,
                kind=AttemptKind.REVERSAL,
                state=MovementState.SENDING,
                claimed_from=payment.status,
                provider=attempt.provider,
                amount_minor=attempt.amount_minor,
                currency=attempt.currency,
                reversal_of=attempt.public_id,
                card_last4=attempt.card_last4,
                started_at=now,
                # The keys are the same at every try, so it may still be sent after any outage.
                send_before=now + timedelta(days=365),
                next_ask_at=now,
            )
        )

    def _apply_to_reversal(
        self,
        session: Session,
        payment: Payment,
        attempt: PaymentAttempt,
        result: ProviderResult,
        now: datetime,
    ) -> None:
        attempt.last_error = result.detail and result.detail[:255]
        if result.outcome is Outcome.APPROVED:
            _end(attempt, MovementState.APPROVED, now)
            event = self._record(session, payment, attempt, "payment.reversed", now)
            announce_reversal(
                session, self.merchants.get(session, payment.merchant_id), payment, attempt, event
            )
        elif result.outcome is Outcome.DECLINED:
            _end(attempt, MovementState.DECLINED, now)
            attempt.decline_code = result.decline_code
            self._record(session, payment, attempt, "payment.reversal_refused", now)
            log.error("reversal_refused", payment=payment.public_id, attempt=attempt.public_id)
        else:
            self._keep_asking(attempt, now)

    def _compare_with_final(
        self,
        session: Session,
        payment: Payment,
        attempt: PaymentAttempt,
        result: ProviderResult,
        now: datetime,
    ) -> None:
        if FINAL_STATES[result.outcome] == attempt.state:
            return
        if result.outcome is Outcome.APPROVED and attempt.kind == AttemptKind.SALE:
            self._give_back(session, payment, attempt, now)
            return
        log.error(
            "contradicting_result",
            payment=payment.public_id,
            attempt=attempt.public_id,
            state=attempt.state,
            outcome=result.outcome,
        )
        self._record(session, payment, attempt, "attempt.contradicted", now, claimed_outcome=result.outcome)

    def _record(
        self,
        session: Session,
        payment: Payment,
        attempt: PaymentAttempt,
        event_type: str,
        now: datetime,
        **more: str,
    ) -> PaymentEvent:
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
            "detail": attempt.last_error,
            **more,
        }
        known = {name: value for name, value in data.items() if value is not None}
        return record_event(session, self.event_key, payment, event_type, now, known)


def _end(attempt: PaymentAttempt, state: MovementState, now: datetime) -> None:
    attempt.state = state
    attempt.ended_at = now
    attempt.next_ask_at = None
