"""Carrying out a follow-up that was asked for under an idempotency key, and answering under that key."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Generic

from service_kit.clock import utc_now
from service_kit.db.database import CommitOutcomeUnknown
from sqlalchemy import select
from sqlalchemy.orm import Session

from payment_service.domain.idempotency_keys import Earlier, IdempotentRequest, StoredAnswer, begin, finish
from payment_service.domain.settlement.follow_up import F
from payment_service.domain.settlement.follow_up_settler import FollowUpSettlement
from payment_service.extensions import db
from payment_service.models.movement import PaymentAttempt
from payment_service.models.payment import Payment
from payment_service.processing.dependencies import Dependencies
from payment_service.processing.follow_up import Begun, OutcomeUnsettled, Start, send_and_settle
from payment_service.processing.follow_up_inquiry import inquire
from payment_service.processing.idempotent import left_no_trace

Present = Callable[[Payment, PaymentAttempt, F], StoredAnswer]


@dataclass(frozen=True, slots=True)
class Asked(Generic[F]):
    """What was asked for.

    ``begin`` is the rest of transaction 1: it writes the movement down, or answers where nobody need be
    called. ``present`` makes the answer from the rows as they stand.
    """

    model: type[F]
    request: IdempotentRequest
    begin: Callable[[Session], Begun[F] | StoredAnswer]
    present: Present[F]


@dataclass(frozen=True, slots=True)
class _Written(Generic[F]):
    """What transaction 1 left, with the answer for when nothing more can be known."""

    begun: Begun[F]
    pending: StoredAnswer


def carry_out_once(asked: Asked[F], start: Start, dependencies: Dependencies) -> StoredAnswer:
    """Carry it out at most once, and return the answer as it is stored under the key.

    Raises:
        KeyInProgress, KeyReused: there was an earlier request; nothing was begun.
        PaymentError: whatever ``begin`` raised; nothing is stored.
    """
    lease = timedelta(seconds=dependencies.config.limits.idempotency_lease_s)

    def work(session: Session) -> Earlier | StoredAnswer | _Written[F]:
        earlier = begin(session, asked.request, start.new.public_id, start.new.started_at, lease)
        if earlier is not None:
            return earlier
        begun = asked.begin(session)
        if isinstance(begun, StoredAnswer):
            return finish(session, asked.request, begun)
        return _Written(begun, asked.present(begun.payment, begun.attempt, begun.movement))

    try:
        first = db.in_transaction(work)
    except CommitOutcomeUnknown as exc:
        if not isinstance(exc.result, _Written) or left_no_trace(asked.request):
            raise
        # It is written down, or may be: nobody is called, and the janitor makes sure that it never executes.
        return exc.result.pending
    if isinstance(first, StoredAnswer):
        return first
    if isinstance(first, Earlier):
        return first.answer or _answer_as_it_stands(asked, first.resource_id, start, dependencies)
    return _go_on(asked, first, start, dependencies)


def _go_on(asked: Asked[F], written: _Written[F], start: Start, dependencies: Dependencies) -> StoredAnswer:
    def answer(session: Session, settled: FollowUpSettlement[F]) -> StoredAnswer:
        return finish(session, asked.request, _present(session, asked, settled.payment, settled.movement))

    try:
        return send_and_settle(written.begun, start, dependencies, answer)
    except OutcomeUnsettled:
        return written.pending


def _answer_as_it_stands(
    asked: Asked[F], movement_id: str, start: Start, dependencies: Dependencies
) -> StoredAnswer:
    """Answer for a request that died: from its movement as it stands, after asking if that is still open."""
    limits = dependencies.config.limits
    statement = select(asked.model).where(asked.model.public_id == movement_id)
    with db.reading() as session:
        movement = session.scalars(statement).one()
    nobody_is_at_work = movement.send_before + timedelta(seconds=limits.busy_grace_s)
    if movement.is_open and utc_now() >= nobody_is_at_work:
        with suppress(CommitOutcomeUnknown):  # what was stored is read next
            inquire(movement, dependencies, within_s=limits.ask_s, actor=start.new.actor)

    def work(session: Session) -> StoredAnswer:
        standing = session.scalars(statement.execution_options(populate_existing=True)).one()
        payment = session.get_one(Payment, standing.payment_id, populate_existing=True)
        return finish(session, asked.request, _present(session, asked, payment, standing))

    return db.in_transaction(work)


def _present(session: Session, asked: Asked[F], payment: Payment, movement: F) -> StoredAnswer:
    return asked.present(payment, session.get_one(PaymentAttempt, movement.attempt_id), movement)
