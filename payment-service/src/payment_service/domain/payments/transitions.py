"""The life of a payment as one table; docs/ draws its diagram from it."""

from collections.abc import Mapping

from payment_service.errors import IllegalTransition
from payment_service.models.payments.payment import Payment
from payment_service.values.statuses import PaymentStatus as S

TRANSITIONS: Mapping[S, frozenset[S]] = {
    S.PENDING: frozenset({S.PROCESSING, S.CANCELLED, S.EXPIRED}),
    S.PROCESSING: frozenset({S.PENDING, S.FAILED, S.COMPLETED}),
    S.FAILED: frozenset({S.PROCESSING, S.CANCELLED, S.EXPIRED}),
    S.COMPLETED: frozenset(),
    S.CANCELLED: frozenset(),
    S.EXPIRED: frozenset(),
}
PAYABLE = frozenset({S.PENDING, S.FAILED})


def change_status(payment: Payment, target: S) -> None:
    """Change the payment's state; every change of it passes here.

    Raises:
        IllegalTransition: ``TRANSITIONS`` does not lead there.
    """
    if target not in TRANSITIONS[S(payment.status)]:
        raise IllegalTransition(payment.status, target)
    payment.status = target
