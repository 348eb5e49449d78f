"""What the decision about an attempt, fraud-service's or ours where it is silent, does to the attempt."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from service_kit.web import strict_json
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from payment_service.domain.payments.locks import MovementReference, lock_movement
from payment_service.domain.payments.transitions import change_state, change_status
from payment_service.domain.settlement.charges import Charge, release
from payment_service.domain.settlement.context import SettlementContext, SettlementPolicy
from payment_service.domain.settlement.settle import Settlement
from payment_service.models.movement import PaymentAttempt
from payment_service.models.payment import Payment
from payment_service.values.money import Money
from payment_service.values.statuses import (
    TOO_MANY_CARDS,
    Assessment,
    FraudDecision,
    MovementState,
    PaymentStatus,
)

# The bank saw the card and nothing was paid; whoever gives up a challenge has learnt that the card exists.
_DID_NOT_PAY = (MovementState.DECLINED, MovementState.ABANDONED)
# A payment is created and processed; whatever more was recorded of it tells of an earlier attempt.
_EVENTS_OF_A_FIRST_ATTEMPT = 2


def assess_without_fraud_service(amount: Money, approve_below: Mapping[str, Decimal], why: str) -> Assessment:
    """Return the decision instead of the missing one: small amounts go on, others wait for a person.

    ``approve_below`` are major units by currency; in a currency without a limit nothing is small.
    """
    limit = approve_below.get(amount.currency, Decimal(0))
    decision = FraudDecision.APPROVE if amount.to_decimal() < limit else FraudDecision.REVIEW
    reason = {"rule": "fraud_silent", "detail": why, "approve_below": limit}
    return Assessment(decision, [reason], is_silent=True)


def refuse_another_card(
    session: Session, payment: Payment, attempt: PaymentAttempt, limit: int
) -> Assessment | None:
    """Decline one more card than ``limit`` for a payment for which so many others did not pay.

    It counts this payment's own attempts, with its lock held, so it is exact, and holds while fraud-service
    is silent. A card that was tried before may be tried again.
    """
    if payment.event_count <= _EVENTS_OF_A_FIRST_ATTEMPT:
        return None
    others = select(func.count(PaymentAttempt.card_fingerprint.distinct())).where(
        PaymentAttempt.payment_id == payment.id,
        PaymentAttempt.state.in_(_DID_NOT_PAY),
        PaymentAttempt.card_fingerprint != attempt.card_fingerprint,
    )
    if (session.scalar(others) or 0) < limit:
        return None
    reason = {"rule": "cards_per_payment", "detail": f"{limit} different cards did not pay this payment"}
    return Assessment(FraudDecision.DECLINE, [reason], decline_code=TOO_MANY_CARDS)


def apply_assessment(
    session: Session,
    policy: SettlementPolicy,
    reference: MovementReference[PaymentAttempt],
    assessment: Assessment,
    now: datetime,
    *,
    actor: str,
) -> Settlement[PaymentAttempt]:
    """Write the assessment down and do as it says; the attempt may be sent only if it is SENDING then.

    Fence: an attempt that somebody else ended meanwhile stays as it is.
    """
    payment, attempt = lock_movement(session, reference)
    if attempt.state == MovementState.ASSESSING:
        attempt.fraud_decision = assessment.recorded_as
        attempt.fraud_reasons = strict_json.dumps(list(assessment.reasons))
        _follow(SettlementContext(session, policy, payment, attempt, now, actor), assessment)
    return Settlement(payment, attempt)


def _follow(context: Charge, assessment: Assessment) -> None:
    attempt, payment, decision = context.movement, context.payment, assessment.decision
    if decision in {FraudDecision.APPROVE, FraudDecision.CHALLENGE}:
        change_state(attempt, MovementState.SENDING)
    elif decision is FraudDecision.DECLINE:
        context.end(MovementState.FAILED)
        attempt.decline_code = assessment.decline_code
        release(context)
    else:
        change_state(attempt, MovementState.HELD)
        attempt.held_at = context.now
        # No provider knows of it, so there is nobody to ask.
        attempt.next_ask_at = None
        change_status(payment, PaymentStatus.IN_REVIEW)
        payment.expires_at = context.now + context.policy.lifetimes.in_review
        context.record("payment.in_review")
