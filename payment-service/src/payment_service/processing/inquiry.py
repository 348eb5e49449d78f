"""Finds out what became of an attempt whose outcome is open, and settles it."""

from datetime import datetime, timedelta

from service_kit.clock import utc_now
from service_kit.deadlines import time_budget, time_left_s
from service_kit.web.http_client import NotSent

from payment_service.domain.payments.claims import Claim
from payment_service.domain.payments.events import JANITOR
from payment_service.domain.payments.locks import AnyMovement
from payment_service.domain.settlement.settle import Settlement
from payment_service.extensions import db
from payment_service.models.movement import PaymentAttempt
from payment_service.processing.dependencies import Dependencies
from payment_service.providers.port import Outcome, Provider, ProviderRefund, ProviderResult, ProviderVoid
from payment_service.values.statuses import AttemptKind, MovementState

TOO_LATE_TO_VOID = "wrong_state"


def inquire_attempt(
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
        return inquire_or_abandon(attempt, provider, dependencies, now)
    except NotSent as exc:
        return ProviderResult(Outcome.PENDING, detail=str(exc))


def _reverse(attempt: PaymentAttempt, original_id: str, provider: Provider) -> ProviderResult:
    """Void the late approval, or refund it where it is too old for that.

    The same keys each time: the provider carries each out once, and tells us what came of it.
    """
    voided = provider.void(ProviderVoid(attempt.public_id, original_id))
    if voided.outcome is Outcome.DECLINED and voided.decline_code == TOO_LATE_TO_VOID:
        refund = ProviderRefund(f"{attempt.public_id}_refund", original_id, attempt.amount)
        return provider.refund(refund)
    return voided


_RESERVED_FOR_SETTLING_S = 1.0


def inquire_once(
    provider: Provider, public_id: str, unanswered: ProviderResult, dependencies: Dependencies
) -> ProviderResult:
    """Ask at once what came of a call without an answer, if there is time: somebody is waiting."""
    available_s = time_left_s(dependencies.config.limits.ask_s + _RESERVED_FOR_SETTLING_S)
    try:
        with time_budget(available_s - _RESERVED_FOR_SETTLING_S):
            answer = provider.fetch_status(public_id)
    except NotSent:
        return unanswered
    return unanswered if answer.outcome is Outcome.NOT_FOUND else answer


def inquire_or_abandon(
    movement: AnyMovement, provider: Provider, dependencies: Dependencies, now: datetime
) -> ProviderResult:
    """Ask; what the provider never saw is abandoned there, once nobody can be sending it any more.

    Raises:
        NotSent: the provider cannot be asked.
    """
    answer = provider.fetch_status(movement.public_id)
    nobody_sends_now = movement.send_before + timedelta(seconds=dependencies.config.limits.clock_margin_s)
    if answer.outcome is Outcome.NOT_FOUND and now > nobody_sends_now and provider.capabilities.can_abandon:
        return provider.abandon(movement.public_id)
    return answer


def needs_inquiry(claim: Claim, dependencies: Dependencies) -> bool:
    """Whether an attempt is open of which only its provider knows more: nobody is at work on it."""
    attempt = claim.attempt
    if claim.is_ours or attempt is None or not attempt.is_open or attempt.state == MovementState.HELD:
        return False
    grace = timedelta(seconds=dependencies.config.limits.busy_grace_s)
    return attempt.state == MovementState.REQUIRES_ACTION or utc_now() >= attempt.send_before + grace
