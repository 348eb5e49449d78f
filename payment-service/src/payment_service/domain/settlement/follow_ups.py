"""Follow-ups: what is done with an approved sale or hold. Capture, void and refund have one shape."""

from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from payment_service.domain.payments.movements import NewMovement, write_down
from payment_service.domain.payments.transitions import kind_of
from payment_service.domain.settlement.context import SettlementContext, SettlementPolicy
from payment_service.models.movement import FollowUp, PaymentAttempt
from payment_service.models.payment import Payment
from payment_service.values.statuses import OPEN_STATES, AttemptKind, MovementState

F = TypeVar("F", bound=FollowUp)


def begin(
    session: Session, policy: SettlementPolicy, payment: Payment, movement: F, new: NewMovement
) -> None:
    """Write the movement down with all that is the same for each kind, and that it was asked for."""
    session.add(write_down(movement, payment, new, MovementState.SENDING))
    context = SettlementContext(session, policy, payment, movement, new.started_at, new.actor)
    context.record(f"{kind_of(movement)}.requested")


def attempt_of(session: Session, movement: FollowUp) -> PaymentAttempt:
    """Return the sale or authorisation that it follows."""
    return session.get_one(PaymentAttempt, movement.attempt_id)


def successful_attempt(session: Session, payment: Payment) -> PaymentAttempt:
    """Return the attempt whose money a payment that succeeded holds or took.

    There is one: whatever else a bank approved for the payment came too late and goes back.
    """
    given_back = select(PaymentAttempt.reversal_of).where(
        PaymentAttempt.payment_id == payment.id, PaymentAttempt.kind == AttemptKind.REVERSAL
    )
    return session.scalars(
        select(PaymentAttempt).where(
            PaymentAttempt.payment_id == payment.id,
            PaymentAttempt.kind != AttemptKind.REVERSAL,
            PaymentAttempt.state == MovementState.APPROVED,
            PaymentAttempt.public_id.not_in(given_back),
        )
    ).one()


def has_open(session: Session, payment: Payment, model: type[FollowUp]) -> bool:
    """Whether a movement of this kind is open on the payment, whose lock the caller holds."""
    open_one = select(model.id).where(model.payment_id == payment.id, model.state.in_(OPEN_STATES)).limit(1)
    return session.scalar(open_one) is not None
