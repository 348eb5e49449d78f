"""Finds out what became of an attempt whose outcome is open, and settles it."""

from datetime import datetime

from service_kit.clock import utc_now
from service_kit.deadlines import time_budget
from service_kit.http_client import NotSent

from payment_service.commands.asking import ask_or_abandon
from payment_service.commands.dependencies import Dependencies
from payment_service.domain.payments.actors import JANITOR
from payment_service.domain.settlement.settler import Settlement
from payment_service.extensions import db
from payment_service.models.payments.payment_attempt import PaymentAttempt
from payment_service.providers.port import Outcome, Provider, ProviderResult, RefundRequest, VoidRequest
from payment_service.values.statuses import AttemptKind, MovementState

TOO_LATE_TO_VOID = "wrong_state"


def ask_provider(
    attempt: PaymentAttempt, dependencies: Dependencies, *, within_s: float, actor: str = JANITOR
) -> Settlement:
    """Ask, settle, and return how things stand now; ``within_s`` bounds the asking, not the settling."""
    return settle_answer(
        attempt, find_out(attempt, dependencies, within_s=within_s), dependencies, actor=actor
    )


def find_out(attempt: PaymentAttempt, dependencies: Dependencies, *, within_s: float) -> ProviderResult:
    """Return what the provider says; PENDING where it says nothing."""
    with time_budget(within_s):
        return _find_out(attempt, dependencies, utc_now())


def settle_answer(
    attempt: PaymentAttempt, result: ProviderResult, dependencies: Dependencies, *, actor: str
) -> Settlement:
    """Settle what was found out about the attempt as it was when the asking began."""
    now = utc_now()
    seen = MovementState(attempt.state)
    payment_id, attempt_id = attempt.payment_id, attempt.id
    return db.in_transaction(
        lambda session: dependencies.settler.settle(
            session, payment_id, attempt_id, result, now, actor=actor, seen_state=seen
        )
    )


def _find_out(attempt: PaymentAttempt, dependencies: Dependencies, now: datetime) -> ProviderResult:
    provider = dependencies.providers[attempt.provider]
    try:
        if attempt.kind == AttemptKind.REVERSAL:
            return _reverse(attempt, attempt.reversal_of or "", provider)
        if attempt.state == MovementState.ASSESSING:
            # No provider was called in this state, and the fence stops a sender who comes back late.
            return ProviderResult(Outcome.NOT_SENT if now > attempt.send_before else Outcome.PENDING)
        if attempt.state == MovementState.HELD:
            # A person has to decide; no provider knows of it, and none may be told that it never executes.
            return ProviderResult(Outcome.PENDING)
        return ask_or_abandon(attempt, provider, dependencies, now)
    except NotSent as exc:
        return ProviderResult(Outcome.PENDING, detail=str(exc))


def _reverse(attempt: PaymentAttempt, original_id: str, provider: Provider) -> ProviderResult:
    """Void the late approval, or refund it where it is too old for that.

    The same keys each time: the provider carries each out once, and tells us what came of it.
    """
    voided = provider.void(VoidRequest(attempt.public_id, original_id))
    if voided.outcome is Outcome.DECLINED and voided.decline_code == TOO_LATE_TO_VOID:
        refund = RefundRequest(f"{attempt.public_id}_refund", original_id, attempt.amount)
        return provider.refund(refund)
    return voided
