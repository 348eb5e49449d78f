"""Late approvals: money that a provider took although nobody waits for it any more goes back."""

from datetime import timedelta

import structlog
from sqlalchemy import select

from payment_service.domain.messages import announce_reversal
from payment_service.domain.settlement.context import Scene
from payment_service.models.movement import PaymentAttempt
from payment_service.providers.port import Outcome, ProviderResult
from payment_service.values.statuses import AttemptKind, MovementState

log = structlog.get_logger(__name__)


def give_back(scene: Scene) -> None:
    """Begin the reversal of a late approval: a movement of its own, which the janitor carries out."""
    attempt, payment = scene.attempt, scene.payment
    known = select(PaymentAttempt.id).where(PaymentAttempt.reversal_of == attempt.public_id)
    if scene.session.scalar(known):
        return
    log.error("late_approval", payment=payment.public_id, attempt=attempt.public_id)
    scene.record("payment.late_approval")
    scene.session.add(
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
            started_at=scene.now,
            # The keys are the same at every try, so it may still be sent after any outage.
            send_before=scene.now + timedelta(days=365),
            next_ask_at=scene.now,
        )
    )


def apply_to_reversal(scene: Scene, result: ProviderResult) -> None:
    """Apply what the provider said about giving the money back."""
    attempt = scene.attempt
    attempt.last_error = result.detail and result.detail[:255]
    if result.outcome is Outcome.APPROVED:
        scene.end(MovementState.APPROVED)
        event = scene.record("payment.reversed")
        announce_reversal(scene.session, scene.merchant, scene.payment, attempt, event)
    elif result.outcome is Outcome.DECLINED:
        scene.end(MovementState.DECLINED)
        attempt.decline_code = result.decline_code
        scene.record("payment.reversal_refused")
        log.error("reversal_refused", payment=scene.payment.public_id, attempt=attempt.public_id)
    else:
        scene.keep_asking()
