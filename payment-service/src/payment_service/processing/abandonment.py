"""Ends an attempt that waits for its cardholder, at the provider first."""

from collections.abc import Callable

from service_kit.clock import utc_now
from service_kit.web.http_client import NotSent
from sqlalchemy.orm import Session

from payment_service.domain.payments.locks import MovementReference
from payment_service.domain.settlement.settle import Settlement, settle
from payment_service.extensions import db
from payment_service.models.movement import PaymentAttempt
from payment_service.processing.dependencies import Dependencies
from payment_service.values.statuses import PaymentStatus


def abandon_attempt(
    attempt: MovementReference[PaymentAttempt],
    dependencies: Dependencies,
    *,
    actor: str,
    then: Callable[[Session, Settlement[PaymentAttempt]], object] | None = None,
) -> bool:
    """Abandon, settle, and say whether the payment waits for the cardholder no longer.

    The provider's word counts: the cardholder may have finished meanwhile, and then that is what happened.
    ``then`` runs in the transaction that settles.
    """
    provider = dependencies.providers[attempt.provider]
    try:
        result = provider.abandon(attempt.public_id)
    except NotSent:
        return False
    now = utc_now()

    def work(session: Session) -> Settlement[PaymentAttempt]:
        settled = settle(session, dependencies.policy, attempt, result, now, actor=actor)
        if then is not None:
            then(session, settled)
        return settled

    settled = db.in_transaction(work)
    if not settled.movement.is_open:
        dependencies.waker.wake()
    return settled.payment.status != PaymentStatus.REQUIRES_ACTION
