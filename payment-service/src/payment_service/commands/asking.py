"""How a provider is asked what became of an attempt, a capture, a void or a refund."""

from datetime import datetime, timedelta

from service_kit.deadlines import time_budget, time_left_s
from service_kit.http_client import NotSent

from payment_service.commands.dependencies import Dependencies
from payment_service.domain.payments.movements import AnyMovement
from payment_service.providers.port import Outcome, Provider, ProviderResult

_RESERVED_FOR_SETTLING_S = 1.0


def ask_once(
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


def ask_or_abandon(
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
