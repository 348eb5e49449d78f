"""Asks a provider, at once, about a movement of which it told us something."""

from service_kit.clock import utc_now
from sqlalchemy import update

from payment_service.commands.dependencies import Dependencies
from payment_service.commands.payments.ask_provider import ask_provider
from payment_service.domain.payments import actors
from payment_service.domain.payments.movements import AnyMovement
from payment_service.extensions import db
from payment_service.models.payments.payment_attempt import PaymentAttempt


def ask_about(movement: AnyMovement, dependencies: Dependencies) -> bool:
    """Ask and settle; return whether the outcome is still to come."""
    if not isinstance(movement, PaymentAttempt):
        return _hasten(movement)
    within_s, actor = dependencies.config.limits.ask_s, actors.provider(movement.provider)
    settlement = ask_provider(movement, dependencies, within_s=within_s, actor=actor)
    if settlement.payment.is_paid:
        dependencies.waker.wake()
    return settlement.attempt.is_open


def _hasten(movement: AnyMovement) -> bool:
    """Let the janitor ask about it in its next turn."""
    model, now = type(movement), utc_now()
    db.in_transaction(
        lambda session: session.execute(
            update(model)
            .where(model.id == movement.id, model.next_ask_at > now)
            .values(next_ask_at=now)
            .execution_options(synchronize_session=False)
        )
    )
    return movement.is_open
