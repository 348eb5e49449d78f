"""Sending a movement that is written down, and settling it: the call stands between two transactions.

This process may die between any two lines: whatever it leaves behind is a row whose state says how far it
came, and the janitor goes on.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

import structlog
from service_kit.clock import utc_now
from service_kit.deadlines import Deadline
from service_kit.ids import new_id
from sqlalchemy.orm import Session

from payment_service.domain.payments.locks import Model, MovementReference
from payment_service.domain.payments.movements import NewMovement
from payment_service.domain.settlement.settle import Settlement, settle
from payment_service.errors import PaymentError
from payment_service.extensions import db
from payment_service.processing.dependencies import Dependencies
from payment_service.providers.port import ProviderResult

A = TypeVar("A")
# What a result means to whoever asked, where it turns out that nothing was sent.
Sent = tuple[ProviderResult, PaymentError | None]
Tell = Callable[[Session, Settlement[Model], PaymentError | None], A]

log = structlog.get_logger(__name__)


class OutcomeUnsettled(Exception):
    """It may have been sent, and its outcome could not be stored: the janitor finds it out."""


def start_movement(prefix: str, actor: str, dependencies: Dependencies) -> NewMovement:
    """Return what a new movement needs that cannot be drawn inside a transaction."""
    send_within_s = dependencies.config.limits.send_within_s
    deadline, now = Deadline.after(send_within_s), utc_now()
    return NewMovement(
        public_id=new_id(prefix),
        actor=actor,
        started_at=now,
        send_before=now + timedelta(seconds=send_within_s),
        next_ask_at=dependencies.policy.inquiries.next_ask_at(now, 0, now),
        send_deadline=deadline,
    )


def send_and_settle(
    reference: MovementReference[Model],
    send: Callable[[], Sent],
    actor: str,
    dependencies: Dependencies,
    tell: Tell[Model, A],
) -> A:
    """Send once, apply what the provider said, and return what ``tell`` makes of that.

    ``tell`` runs in the transaction that stores the outcome.

    Raises:
        OutcomeUnsettled: the money may have moved, and that is not surely stored.
    """
    try:
        result, failure = send()
        now = utc_now()

        def work(session: Session) -> tuple[A, bool]:
            settled = settle(session, dependencies.policy, reference, result, now, actor=actor)
            return tell(session, settled, failure), settled.movement.is_open

        told, is_open = db.in_transaction(work)
    except Exception as exc:
        # Whatever went wrong from here on says nothing about the money: no answer may sound as if it did.
        log.exception("movement_not_settled", movement=reference.public_id)
        raise OutcomeUnsettled from exc
    if not is_open:
        dependencies.waker.wake()
    return told
