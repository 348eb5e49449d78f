"""Finds out what became of an attempt whose outcome is open, and settles it."""

from datetime import datetime, timedelta

from service_kit.clock import utc_now
from service_kit.deadlines import time_budget
from service_kit.http_client import NotSent

from payment_service.commands.dependencies import Dependencies
from payment_service.domain.settlement import Settlement
from payment_service.extensions import db
from payment_service.models.payment_attempt import PaymentAttempt
from payment_service.providers.port import Outcome, Provider, ProviderResult, VoidRequest
from payment_service.values.statuses import AttemptKind, AttemptState


def ask_provider(attempt: PaymentAttempt, dependencies: Dependencies, *, within_s: float) -> Settlement:
    """Ask, settle, and return how things stand now; ``within_s`` bounds the asking, not the settling."""
    with time_budget(within_s):
        result = _find_out(attempt, dependencies, utc_now())
    now = utc_now()
    seen = AttemptState(attempt.state)
    payment_id, attempt_id = attempt.payment_id, attempt.id
    return db.in_transaction(
        lambda session: dependencies.settler.settle(
            session, payment_id, attempt_id, result, now, seen_state=seen
        )
    )


def _find_out(attempt: PaymentAttempt, dependencies: Dependencies, now: datetime) -> ProviderResult:
    provider = dependencies.providers[attempt.provider]
    try:
        if attempt.kind == AttemptKind.REVERSAL:
            # The same key again: the provider carries it out once, and tells us what came of it.
            return provider.void(VoidRequest(attempt.public_id, attempt.reversal_of or ""))
        if attempt.state == AttemptState.ASSESSING:
            # No provider was called in this state, and the fence stops a sender who comes back late.
            return ProviderResult(Outcome.NOT_SENT if now > attempt.send_before else Outcome.PENDING)
        return _ask_about_sale(attempt, provider, dependencies, now)
    except NotSent as exc:
        return ProviderResult(Outcome.PENDING, detail=str(exc))


def _ask_about_sale(
    attempt: PaymentAttempt, provider: Provider, dependencies: Dependencies, now: datetime
) -> ProviderResult:
    answer = provider.fetch_status(attempt.public_id)
    nobody_sends_now = attempt.send_before + timedelta(seconds=dependencies.config.limits.clock_margin_s)
    if answer.outcome is Outcome.NOT_FOUND and now > nobody_sends_now and provider.capabilities.can_abandon:
        return provider.abandon(attempt.public_id)
    return answer
