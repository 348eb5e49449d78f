"""Settling an attempt: the one place where what a provider said changes what we hold for true.

The sending thread, the janitor, webhooks and the returns of 3-D Secure come here.
The rules, and why they are so, are in docs/adr/0005.
"""

from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy.orm import Session

from payment_service.domain.payments.fraud_policy import Course, Verdict
from payment_service.domain.payments.locks import lock_payment_and_attempt
from payment_service.domain.payments.transitions import change_attempt_state, change_status
from payment_service.domain.settlement.charges import FINAL_STATES, NO_NEWS, apply_to_charge, release
from payment_service.domain.settlement.context import Rules, Scene
from payment_service.domain.settlement.reversals import apply_to_reversal, give_back
from payment_service.models.movement import PaymentAttempt
from payment_service.models.payment import Payment
from payment_service.providers.port import Outcome, ProviderResult
from payment_service.values.statuses import AttemptKind, MovementState, PaymentStatus

log = structlog.get_logger(__name__)

IS_NOT_A_RESULT = NO_NEWS | {Outcome.NOT_SENT, Outcome.REQUIRES_ACTION}


@dataclass(frozen=True, slots=True)
class Settlement:
    """How things stand after settling: read, not to be changed."""

    payment: Payment
    attempt: PaymentAttempt


@dataclass(frozen=True, slots=True)
class Settler:
    """Settles attempts inside the caller's transaction."""

    rules: Rules

    def decide(
        self,
        session: Session,
        payment_id: int,
        attempt_id: int,
        verdict: Verdict,
        now: datetime,
        *,
        actor: str,
    ) -> Settlement:
        """Write down what fraud-service's answer means; the attempt may be sent only if it is SENDING then.

        Fence: an attempt that somebody else ended meanwhile stays as it is.
        """
        payment, attempt = lock_payment_and_attempt(session, payment_id, attempt_id)
        scene = Scene(session, self.rules, payment, attempt, now, actor)
        if attempt.state == MovementState.ASSESSING:
            attempt.fraud_decision = verdict.fraud_decision
            attempt.fraud_reasons = verdict.fraud_reasons
            _take_course(scene, verdict.course)
        return Settlement(payment, attempt)

    def settle(
        self,
        session: Session,
        payment_id: int,
        attempt_id: int,
        result: ProviderResult,
        now: datetime,
        *,
        actor: str,
        seen_state: MovementState | None = None,
    ) -> Settlement:
        """Apply ``result`` once, whoever brings it and however often.

        Open attempt: applied. Final and equal: nothing. No news never overwrites. An approval that comes
        too late is given back. Any other difference: an event and an alert, no change.

        ``seen_state`` is the state that led to NOT_SENT: a sender who went on meanwhile is not undone.
        """
        payment, attempt = lock_payment_and_attempt(session, payment_id, attempt_id)
        scene = Scene(session, self.rules, payment, attempt, now, actor)
        if result.outcome is Outcome.NOT_SENT and seen_state not in {None, attempt.state}:
            return Settlement(payment, attempt)
        if attempt.is_open and attempt.kind == AttemptKind.REVERSAL:
            apply_to_reversal(scene, result)
        elif attempt.is_open:
            apply_to_charge(scene, result)
        elif result.outcome not in IS_NOT_A_RESULT:
            _compare_with_final(scene, result)
        return Settlement(payment, attempt)


def _take_course(scene: Scene, course: Course) -> None:
    if course in {Course.SEND, Course.CHALLENGE}:
        change_attempt_state(scene.attempt, MovementState.SENDING)
    elif course is Course.REFUSE:
        scene.end(MovementState.FAILED)
        scene.attempt.decline_code = "fraudulent"
        release(scene, Outcome.DECLINED)
    else:
        change_attempt_state(scene.attempt, MovementState.HELD)
        scene.attempt.held_at = scene.now
        # No provider knows of it, so there is nobody to ask.
        scene.attempt.next_ask_at = None
        change_status(scene.payment, PaymentStatus.IN_REVIEW)
        scene.payment.expires_at = scene.now + scene.rules.lifetimes.in_review
        scene.record("payment.in_review")


def _compare_with_final(scene: Scene, result: ProviderResult) -> None:
    attempt = scene.attempt
    if FINAL_STATES[result.outcome] == attempt.state:
        return
    if result.outcome is Outcome.APPROVED and attempt.kind != AttemptKind.REVERSAL:
        give_back(scene)
        return
    log.error(
        "contradicting_result",
        payment=scene.payment.public_id,
        attempt=attempt.public_id,
        state=attempt.state,
        outcome=result.outcome,
    )
    scene.record("attempt.contradicted", claimed_outcome=result.outcome)
