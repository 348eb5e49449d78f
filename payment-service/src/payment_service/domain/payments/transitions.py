"""What may follow what: one table for payments and one for each kind of movement; docs/ draws them."""

from collections.abc import Mapping
from enum import StrEnum

from payment_service.errors import IllegalTransition
from payment_service.models.movement import AnyMovement, Capture, PaymentAttempt, Refund, Void
from payment_service.models.payment import Payment
from payment_service.values.statuses import AttemptKind
from payment_service.values.statuses import MovementState as M
from payment_service.values.statuses import PaymentStatus as S

TRANSITIONS: Mapping[S, frozenset[S]] = {
    S.PENDING: frozenset({S.PROCESSING, S.CANCELLED, S.EXPIRED}),
    S.PROCESSING: frozenset({S.PENDING, S.FAILED, S.IN_REVIEW, S.REQUIRES_ACTION, S.AUTHORIZED, S.COMPLETED}),
    S.REQUIRES_ACTION: frozenset({S.PROCESSING, S.FAILED, S.CANCELLED, S.EXPIRED}),
    S.IN_REVIEW: frozenset({S.PROCESSING, S.CANCELLED, S.EXPIRED}),
    S.FAILED: frozenset({S.PROCESSING, S.CANCELLED, S.EXPIRED}),
    S.AUTHORIZED: frozenset({S.PARTIALLY_CAPTURED, S.COMPLETED, S.CANCELLED, S.EXPIRED}),
    S.PARTIALLY_CAPTURED: frozenset({S.PARTIALLY_CAPTURED, S.COMPLETED}),
    S.COMPLETED: frozenset(),
    S.CANCELLED: frozenset(),
    S.EXPIRED: frozenset(),
}
PAYABLE = frozenset({S.PENDING, S.FAILED})
HOLDING = frozenset({S.AUTHORIZED, S.PARTIALLY_CAPTURED})


class MovementKind(StrEnum):
    """What a movement does, and therefore how it lives; the value is how events name it."""

    CHARGE = "attempt"
    REVERSAL = "reversal"
    CAPTURE = "capture"
    VOID = "void"
    REFUND = "refund"


# Once a try may have arrived, the movement can no longer end as not sent.
_FOLLOW_UP: Mapping[M, frozenset[M]] = {
    M.SENDING: frozenset({M.APPROVED, M.DECLINED, M.NOT_SENT, M.UNKNOWN, M.ABANDONED}),
    M.UNKNOWN: frozenset({M.APPROVED, M.DECLINED, M.ABANDONED}),
}
MOVEMENT_TRANSITIONS: Mapping[MovementKind, Mapping[M, frozenset[M]]] = {
    MovementKind.CHARGE: {
        M.ASSESSING: frozenset({M.HELD, M.SENDING, M.FAILED, M.NOT_SENT}),
        M.HELD: frozenset({M.SENDING, M.NOT_SENT}),
        M.SENDING: frozenset({M.APPROVED, M.DECLINED, M.NOT_SENT, M.UNKNOWN, M.REQUIRES_ACTION, M.ABANDONED}),
        M.UNKNOWN: frozenset({M.APPROVED, M.DECLINED, M.ABANDONED, M.REQUIRES_ACTION}),
        M.REQUIRES_ACTION: frozenset({M.APPROVED, M.DECLINED, M.ABANDONED}),
    },
    # Sent again under the same keys until the provider says yes or no: there is nothing else to learn.
    MovementKind.REVERSAL: {M.SENDING: frozenset({M.APPROVED, M.DECLINED})},
    MovementKind.CAPTURE: _FOLLOW_UP,
    MovementKind.VOID: _FOLLOW_UP,
    MovementKind.REFUND: _FOLLOW_UP,
}
_KINDS = {Capture: MovementKind.CAPTURE, Void: MovementKind.VOID, Refund: MovementKind.REFUND}


def kind_of(movement: AnyMovement) -> MovementKind:
    if isinstance(movement, PaymentAttempt):
        return MovementKind.REVERSAL if movement.kind == AttemptKind.REVERSAL else MovementKind.CHARGE
    return _KINDS[type(movement)]


def may_become(movement: AnyMovement, target: M) -> bool:
    """Whether the movement's table leads from its state to ``target``; from an end it leads nowhere."""
    return target in MOVEMENT_TRANSITIONS[kind_of(movement)].get(movement.state, frozenset())


def change_status(payment: Payment, target: S) -> None:
    """Change the payment's state; every change of it passes here.

    Raises:
        IllegalTransition: ``TRANSITIONS`` does not lead there.
    """
    if target not in TRANSITIONS[payment.status]:
        raise IllegalTransition(payment.status, target)
    payment.status = target


def change_state(movement: AnyMovement, target: M) -> None:
    """Change the movement's state; every change of it passes here.

    Raises:
        IllegalTransition: the table of its kind does not lead there.
    """
    if not may_become(movement, target):
        raise IllegalTransition(movement.state, target)
    movement.state = target
