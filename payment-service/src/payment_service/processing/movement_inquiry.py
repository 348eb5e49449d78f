"""Asks a provider, at once, about a movement of which it told us something."""

from payment_service.domain.payments.events import provider_actor
from payment_service.domain.payments.locks import AnyMovement
from payment_service.models.movement import PaymentAttempt
from payment_service.processing.dependencies import Dependencies
from payment_service.processing.follow_up_inquiry import inquire as ask_about_follow_up
from payment_service.processing.inquiry import inquire_attempt


def inquire(movement: AnyMovement, dependencies: Dependencies) -> bool:
    """Ask and settle; return whether the outcome is still to come."""
    within_s, actor = dependencies.config.limits.ask_s, provider_actor(movement.provider)
    if isinstance(movement, PaymentAttempt):
        settlement = inquire_attempt(movement, dependencies, within_s=within_s, actor=actor)
        is_open = settlement.attempt.is_open
    else:
        is_open = ask_about_follow_up(movement, dependencies, within_s=within_s, actor=actor).movement.is_open
    dependencies.waker.wake()
    return is_open
