"""Carrying out a capture, void or refund that is written down."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from service_kit.clock import utc_now
from service_kit.deadlines import Deadline
from service_kit.ids import new_id
from service_kit.web.http_client import NotSent
from sqlalchemy.orm import Session

from payment_service.domain.idempotency_keys import StoredAnswer
from payment_service.domain.payments.locks import MovementReference
from payment_service.domain.settlement.follow_ups import F, NewMovement, attempt_of
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


@dataclass(frozen=True, slots=True)
class Start:
    """A movement that begins now, and until when its call may begin; made before the transaction."""

    new: NewMovement
    send_deadline: Deadline


def start_movement(prefix: str, actor: str, dependencies: Dependencies) -> Start:
    """Return what a new movement needs that cannot be drawn inside a transaction."""
    send_within_s = dependencies.config.limits.send_within_s
    deadline = Deadline.after(send_within_s)
    now = utc_now()
    new = NewMovement(
        public_id=new_id(prefix),
        actor=actor,
        started_at=now,
        send_before=now + timedelta(seconds=send_within_s),
        next_ask_at=dependencies.policy.inquiries.next_ask_at(now, 0, now),
    )
    return Start(new, deadline)


def carry_out_once(
    model: type[F],
    operation: IdempotentOperation,
    begin: Callable[[Session], F | StoredAnswer],
    start: Start,
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
            lambda tell: carry_out(movement, attempt, start, dependencies, tell),
        )

    return run_idempotent(
        operation,
        start.new.public_id,
        begin_movement,
        find_follow_up(model),
        dependencies,
        start.new.started_at,
    )


def carry_out(
    movement: F, attempt: PaymentAttempt, start: Start, dependencies: Dependencies, tell: Tell[F, A]
) -> A:
    """Send the movement, which follows ``attempt``, and settle it; see ``send_and_settle``."""
    reference = MovementReference.of(movement)
    return send_and_settle(
        reference,
        lambda: _send(movement, attempt.public_id, start, dependencies),
        start.new.actor,
        dependencies,
        tell,
    )


def _send(movement: FollowUp, original_id: str, start: Start, dependencies: Dependencies) -> Sent:
    if start.send_deadline.has_passed:
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
