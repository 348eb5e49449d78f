"""Late approvals: money that a provider took although nobody waits for it any more goes back."""

from datetime import timedelta

import structlog
from sqlalchemy import select

from payment_service.domain.settlement.context import SettlementContext
from payment_service.models.movement import PaymentAttempt
from payment_service.providers.port import ProviderResult
from payment_service.values.statuses import AttemptKind, MovementState

log = structlog.get_logger(__name__)


def give_back(context: SettlementContext[PaymentAttempt]) -> None:
    """Begin the reversal of a late approval: a movement of its own, which the janitor carries out."""
    attempt, payment = context.movement, context.payment
    known = select(PaymentAttempt.id).where(PaymentAttempt.reversal_of == attempt.public_id)
    if context.session.scalar(known):
        return
    log.error("late_approval", payment=payment.public_id, attempt=attempt.public_id)
    context.record("payment.late_approval")
    context.session.add(
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
            started_at=context.now,
            # The keys are the same at every try, so it may still be sent after any outage.
            send_before=context.now + timedelta(days=365),
            next_ask_at=context.now,
        )
    )


def reversed_(context: SettlementContext[PaymentAttempt], _result: ProviderResult) -> None:
    """The cardholder has it back."""
    context.record("payment.reversed")


def not_reversed(context: SettlementContext[PaymentAttempt], _result: ProviderResult) -> None:
    """The provider refuses: a person must look."""
    context.record("payment.reversal_refused")
    log.error("reversal_refused", payment=context.payment.public_id, attempt=context.movement.public_id)
