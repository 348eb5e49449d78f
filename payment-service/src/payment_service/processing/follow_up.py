"""Carrying out a capture, void or refund: one short transaction before the provider's call, one after it.

This process may die between any two lines: whatever it leaves behind is a row whose state says how far it
came, and the janitor goes on.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Generic, TypeVar

import structlog
from service_kit.clock import utc_now
from service_kit.deadlines import Deadline
from service_kit.ids import new_id
from service_kit.web.http_client import NotSent
from sqlalchemy.orm import Session

from payment_service.domain.settlement.follow_up import F, FollowUp, NewMovement
from payment_service.domain.settlement.follow_up_settler import FollowUpSettlement, settle_follow_up
from payment_service.extensions import db
from payment_service.models.movement import Capture, PaymentAttempt, Void
from payment_service.models.payment import Payment
from payment_service.processing.dependencies import Dependencies
from payment_service.processing.hold_reconciliation import make_sure_of_hold
from payment_service.processing.inquiry import inquire_once
from payment_service.providers.port import (
    Outcome,
    Provider,
    ProviderCapture,
    ProviderRefund,
    ProviderResult,
    ProviderVoid,
)

T = TypeVar("T")

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Begun(Generic[F]):
    """A movement of ``attempt`` that is written down and not yet sent."""

    payment: Payment
    attempt: PaymentAttempt
    movement: F


@dataclass(frozen=True, slots=True)
class Start:
    """A movement that begins now, and until when its call may begin; made before the transaction."""

    new: NewMovement
    send_deadline: Deadline


class OutcomeUnsettled(Exception):
    """It may have been sent, and its outcome could not be stored: the janitor finds it out."""


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
        next_ask_at=dependencies.settler.rules.inquiries.next_ask_at(now, 0, now),
    )
    return Start(new, deadline)


def send_and_settle(
    begun: Begun[F],
    start: Start,
    dependencies: Dependencies,
    tell: Callable[[Session, FollowUpSettlement[F]], T],
) -> T:
    """Send what was begun, once, apply what the provider said, and return what ``tell`` makes of that.

    ``tell`` runs in the transaction that stores the outcome.

    Raises:
        OutcomeUnsettled: it may have been carried out, and that is not surely stored.
    """
    try:
        result = _send(begun, start, dependencies)
        now = utc_now()

        def work(session: Session) -> T:
            settled = settle_follow_up(
                session,
                dependencies.settler.rules,
                begun.movement,
                result,
                now,
                actor=start.new.actor,
            )
            return tell(session, settled)

        told = db.in_transaction(work)
    except Exception as exc:
        # Whatever went wrong from here on says nothing about the money: no answer may sound as if it did.
        log.exception("movement_not_settled", movement=start.new.public_id)
        raise OutcomeUnsettled from exc
    dependencies.waker.wake()
    return told


def _send(begun: Begun[F], start: Start, dependencies: Dependencies) -> ProviderResult:
    movement = begun.movement
    if start.send_deadline.has_passed:
        return ProviderResult(Outcome.NOT_SENT, detail="too late to send")
    provider = dependencies.providers[movement.provider]
    try:
        result = call_provider(provider, movement, begun.attempt.public_id)
    except NotSent as exc:
        return ProviderResult(Outcome.NOT_SENT, detail=str(exc))
    if result.outcome is Outcome.PENDING:
        result = inquire_once(provider, movement.public_id, result, dependencies)
    return make_sure_of_hold(movement, result, provider, dependencies)


def call_provider(provider: Provider, movement: FollowUp, original_id: str) -> ProviderResult:
    """Have the movement carried out on the attempt ``original_id``. Raises ``NotSent``."""
    if isinstance(movement, Capture):
        return provider.capture(
            ProviderCapture(movement.public_id, original_id, movement.amount, movement.is_final)
        )
    if isinstance(movement, Void):
        return provider.void(ProviderVoid(movement.public_id, original_id))
    return provider.refund(ProviderRefund(movement.public_id, original_id, movement.amount))
