"""Finding out what became of a movement whose outcome is open: by the request, the janitor and webhooks."""

from datetime import timedelta

from service_kit.clock import utc_now
from service_kit.deadlines import time_budget, time_left_s
from service_kit.web.http_client import NotSent

from payment_service.domain.payments.locks import Model, MovementReference
from payment_service.domain.settlement.settle import Settlement, settle
from payment_service.extensions import db
from payment_service.models.movement import AnyMovement, PaymentAttempt, Void
from payment_service.processing.dependencies import Dependencies
from payment_service.processing.hold_reconciliation import reconcile_hold
from payment_service.providers.port import Outcome, Provider, ProviderRefund, ProviderResult, ProviderVoid
from payment_service.values.statuses import AttemptKind, MovementState

TOO_LATE_TO_VOID = "wrong_state"
_RESERVED_FOR_SETTLING_S = 1.0


def needs_inquiry(movement: AnyMovement | None, dependencies: Dependencies) -> bool:
    """Whether it is open and only its provider knows more: nobody is at work on it."""
    if movement is None or not movement.is_open or movement.state == MovementState.HELD:
        return False
    grace = timedelta(seconds=dependencies.config.limits.busy_grace_s)
    return movement.state == MovementState.REQUIRES_ACTION or utc_now() >= movement.send_before + grace


def inquire(movement: Model, dependencies: Dependencies, *, actor: str) -> Settlement[Model]:
    """Ask, settle, and return how things stand now; ``movement`` is the row as it was read before."""
    return settle_answer(movement, find_out(movement, dependencies), dependencies, actor=actor)


def find_out(movement: AnyMovement, dependencies: Dependencies) -> ProviderResult:
    """Return what the provider says within ``ask_s`` seconds; PENDING where it says nothing."""
    provider = dependencies.providers[movement.provider]
    with time_budget(dependencies.config.limits.ask_s):
        try:
            if isinstance(movement, PaymentAttempt):
                return _find_out_about_attempt(movement, provider, dependencies)
            answer = _ask_or_abandon(movement, provider, dependencies)
            return (
                reconcile_hold(movement, answer, provider, dependencies)
                if isinstance(movement, Void)
                else answer
            )
        except NotSent as exc:
            return ProviderResult(Outcome.PENDING, detail=str(exc))


def settle_answer(
    movement: Model, result: ProviderResult, dependencies: Dependencies, *, actor: str
) -> Settlement[Model]:
    """Settle what was found out about the movement as it was when the asking began."""
    now, reference, seen_state = utc_now(), MovementReference.of(movement), movement.state
    settled = db.in_transaction(
        lambda session: settle(
            session, dependencies.policy, reference, result, now, actor=actor, seen_state=seen_state
        )
    )
    if not settled.movement.is_open:
        dependencies.waker.wake()
    return settled


def ask_at_once(
    provider: Provider, public_id: str, unanswered: ProviderResult, dependencies: Dependencies
) -> ProviderResult:
    """Ask what came of a call without an answer, if there is time: somebody is waiting."""
    available_s = time_left_s(dependencies.config.limits.ask_s + _RESERVED_FOR_SETTLING_S)
    try:
        with time_budget(available_s - _RESERVED_FOR_SETTLING_S):
            answer = provider.fetch_status(public_id)
    except NotSent:
        return unanswered
    return unanswered if answer.outcome is Outcome.NOT_FOUND else answer


def _find_out_about_attempt(
    attempt: PaymentAttempt, provider: Provider, dependencies: Dependencies
) -> ProviderResult:
    if attempt.kind == AttemptKind.REVERSAL:
        return _reverse(attempt, attempt.reversal_of or "", provider)
    if attempt.state == MovementState.ASSESSING:
        # No provider was called in this state, and the fence stops a sender who comes back late.
        return ProviderResult(Outcome.NOT_SENT if utc_now() > attempt.send_before else Outcome.PENDING)
    if attempt.state == MovementState.HELD:
        # A person has to decide; no provider knows of it, and none may be told that it never executes.
        return ProviderResult(Outcome.PENDING)
    return _ask_or_abandon(attempt, provider, dependencies)


def _ask_or_abandon(movement: AnyMovement, provider: Provider, dependencies: Dependencies) -> ProviderResult:
    """Ask; what the provider never saw is abandoned there, once nobody can be sending it any more."""
    asked_at = utc_now()
    answer = provider.fetch_status(movement.public_id)
    nobody_sends_now = movement.send_before + timedelta(seconds=dependencies.config.limits.clock_margin_s)
    is_lost = answer.outcome is Outcome.NOT_FOUND and asked_at > nobody_sends_now
    return provider.abandon(movement.public_id) if is_lost and provider.capabilities.can_abandon else answer


def _reverse(attempt: PaymentAttempt, original_id: str, provider: Provider) -> ProviderResult:
    """Void the late approval, or refund it where it is too old for that.

    The same keys each time: the provider carries each out once, and tells us what came of it.
    """
    voided = provider.void(ProviderVoid(attempt.public_id, original_id))
    if voided.outcome is Outcome.DECLINED and voided.decline_code == TOO_LATE_TO_VOID:
        refund = ProviderRefund(f"{attempt.public_id}_refund", original_id, attempt.amount)
        return provider.refund(refund)
    return voided
