"""Carrying out a capture, void or refund that is written down."""

from collections.abc import Callable

from service_kit.web.http_client import NotSent
from sqlalchemy.orm import Session

from payment_service.domain.idempotency_keys import StoredAnswer
from payment_service.domain.payments.locks import MovementReference
from payment_service.domain.payments.movements import NewMovement
from payment_service.domain.settlement.follow_ups import F, attempt_of
from payment_service.models.movement import Capture, FollowUp, PaymentAttempt, Void
from payment_service.models.payment import Payment
from payment_service.processing.dependencies import Dependencies
from payment_service.processing.hold_reconciliation import reconcile_hold
from payment_service.processing.idempotent import (
    IdempotentOperation,
    PaymentRows,
    StartedMovement,
    find_follow_up,
    run_idempotent,
)
from payment_service.processing.inquiry import ask_at_once
from payment_service.processing.sending import A, Sent, Tell, send_and_settle
from payment_service.providers.port import (
    Outcome,
    Provider,
    ProviderCapture,
    ProviderRefund,
    ProviderResult,
    ProviderVoid,
)


def carry_out_once(
    model: type[F],
    operation: IdempotentOperation,
    begin: Callable[[Session], F | StoredAnswer],
    new: NewMovement,
    dependencies: Dependencies,
) -> StoredAnswer:
    """Carry out what ``begin`` writes down at most once, and answer; see ``run_idempotent``."""

    def begin_movement(session: Session) -> StartedMovement | StoredAnswer:
        movement = begin(session)
        if isinstance(movement, StoredAnswer):
            return movement
        payment, attempt = session.get_one(Payment, movement.payment_id), attempt_of(session, movement)
        return StartedMovement(
            PaymentRows(payment, attempt, movement),
            lambda tell: carry_out(movement, attempt, new, dependencies, tell),
        )

    return run_idempotent(operation, new.public_id, begin_movement, find_follow_up(model), dependencies)


def carry_out(
    movement: F, attempt: PaymentAttempt, new: NewMovement, dependencies: Dependencies, tell: Tell[F, A]
) -> A:
    """Send the movement, which follows ``attempt``, and settle it; see ``send_and_settle``."""
    return send_and_settle(
        MovementReference.of(movement),
        lambda: _send(movement, attempt.public_id, new, dependencies),
        new.actor,
        dependencies,
        tell,
    )


def _send(movement: FollowUp, original_id: str, new: NewMovement, dependencies: Dependencies) -> Sent:
    if new.send_deadline.has_passed:
        return ProviderResult(Outcome.NOT_SENT, detail="too late to send"), None
    provider = dependencies.providers[movement.provider]
    try:
        result = _call(provider, movement, original_id)
    except NotSent as exc:
        return ProviderResult(Outcome.NOT_SENT, detail=str(exc)), None
    if result.outcome is Outcome.PENDING:
        result = ask_at_once(provider, movement.public_id, result, dependencies)
    if isinstance(movement, Void):
        result = reconcile_hold(movement, result, provider, dependencies)
    return result, None


def _call(provider: Provider, movement: FollowUp, original_id: str) -> ProviderResult:
    if isinstance(movement, Capture):
        return provider.capture(
            ProviderCapture(movement.public_id, original_id, movement.amount, movement.is_final)
        )
    if isinstance(movement, Void):
        return provider.void(ProviderVoid(movement.public_id, original_id))
    return provider.refund(ProviderRefund(movement.public_id, original_id, movement.amount))
