"""The lives of a payment and of an attempt, as two tables; docs/ draws its diagrams from them."""

from collections.abc import Mapping

from payment_service.errors import IllegalTransition
from payment_service.models.movement import PaymentAttempt
from payment_service.models.payment import Payment
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

ATTEMPT_TRANSITIONS: Mapping[M, frozenset[M]] = {
    M.ASSESSING: frozenset({M.HELD, M.SENDING, M.FAILED, M.NOT_SENT}),
    M.HELD: frozenset({M.SENDING, M.NOT_SENT}),
    M.SENDING: frozenset({M.APPROVED, M.DECLINED, M.NOT_SENT, M.UNKNOWN, M.REQUIRES_ACTION, M.ABANDONED}),
    M.UNKNOWN: frozenset({M.APPROVED, M.DECLINED, M.ABANDONED, M.REQUIRES_ACTION}),
    M.REQUIRES_ACTION: frozenset({M.APPROVED, M.DECLINED, M.ABANDONED}),
    M.APPROVED: frozenset(),
    M.DECLINED: frozenset(),
    M.FAILED: frozenset(),
    M.NOT_SENT: frozenset(),
    M.ABANDONED: frozenset(),
}


def change_status(payment: Payment, target: S) -> None:
    """Change the payment's state; every change of it passes here.

    Raises:
        IllegalTransition: ``TRANSITIONS`` does not lead there.
    """
    if target not in TRANSITIONS[S(payment.status)]:
        raise IllegalTransition(payment.status, target)
    payment.status = target


def change_attempt_state(attempt: PaymentAttempt, target: M) -> None:
    """Change the attempt's state; every change of it passes here.

    Raises:
        IllegalTransition: ``ATTEMPT_TRANSITIONS`` does not lead there.
    """
    if target not in ATTEMPT_TRANSITIONS[M(attempt.state)]:
        raise IllegalTransition(attempt.state, target)
    attempt.state = target
