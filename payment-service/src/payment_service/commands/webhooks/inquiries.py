"""Asks a provider, at once, about a movement of which it told us something."""

from payment_service.commands.dependencies import Dependencies
from payment_service.commands.follow_ups.ask import ask_about as ask_about_follow_up
from payment_service.commands.payments.ask_provider import ask_provider
from payment_service.domain.payments.actors import provider_actor
from payment_service.domain.payments.movements import AnyMovement
from payment_service.models.payments.payment_attempt import PaymentAttempt


def ask_about(movement: AnyMovement, dependencies: Dependencies) -> bool:
    """Ask and settle; return whether the outcome is still to come."""
    within_s, actor = dependencies.config.limits.ask_s, provider_actor(movement.provider)
    if isinstance(movement, PaymentAttempt):
        settlement = ask_provider(movement, dependencies, within_s=within_s, actor=actor)
        is_open = settlement.attempt.is_open
    else:
        is_open = ask_about_follow_up(movement, dependencies, within_s=within_s, actor=actor).movement.is_open
    dependencies.waker.wake()
    return is_open
