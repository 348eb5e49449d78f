"""Running a request under its idempotency key: sent again it is answered again, and moves no money again."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

import structlog
from service_kit.clock import utc_now
from service_kit.db.database import CommitOutcomeUnknown, DatabaseUnavailable
from sqlalchemy import select
from sqlalchemy.orm import Session

from payment_service.domain.idempotency_keys import (
    Earlier,
    IdempotentRequest,
    StoredAnswer,
    begin_key,
    finish,
    stored_as,
)
from payment_service.domain.payments.claims import latest_attempt, lock_by_reference
from payment_service.domain.payments.locks import MovementReference, lock_movement
from payment_service.domain.payments.references import MerchantPayment
from payment_service.domain.settlement.follow_ups import F, attempt_of
from payment_service.domain.settlement.settle import Settlement
from payment_service.errors import KeyInProgress, PaymentError
from payment_service.extensions import db
from payment_service.models.movement import AnyMovement, FollowUp, PaymentAttempt
from payment_service.models.payment import Payment
from payment_service.processing.dependencies import Dependencies
from payment_service.processing.inquiry import inquire, needs_inquiry
from payment_service.processing.sending import OutcomeUnsettled, Tell
from payment_service.processing.waiting import longest_wait, wait_until

T = TypeVar("T")

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class PaymentRows:
    """A payment with the movement that a request is about; an answer is made of them and of nothing else.

    ``attempt`` is the last try to pay, or the one that ``follow_up`` follows; None where nobody tried.
    """

    payment: Payment
    attempt: PaymentAttempt | None
    follow_up: FollowUp | None = None


@dataclass(frozen=True, slots=True)
class IdempotentOperation:
    """A request under its key; ``actor`` made it, and ``present`` makes its answer."""

    request: IdempotentRequest
    actor: str
    present: Callable[[PaymentRows], StoredAnswer]


@dataclass(frozen=True, slots=True)
class StartedMovement:
    """What the first transaction wrote down, and how it is sent and settled."""

    rows: PaymentRows
    send: Callable[[Tell[Any, StoredAnswer]], StoredAnswer]


@dataclass(frozen=True, slots=True)
class _Written:
    """What the first transaction left, with the answer for when nothing more can be known."""

    started: StartedMovement
    pending: StoredAnswer


Begin = Callable[[Session], StartedMovement | StoredAnswer]
Find = Callable[[Session, str], PaymentRows]


def run_idempotent(
    operation: IdempotentOperation,
    resource_id: str,
    begin: Begin,
    find: Find,
    dependencies: Dependencies,
) -> StoredAnswer:
    """Carry the request out at most once, and return the answer as it is stored under the key.

    ``begin`` is the rest of the first transaction: it writes a movement down, or answers where nobody need be
    called. ``resource_id`` names what it makes or changes, and by it ``find`` reads the rows for a repeat.

    Raises:
        KeyInProgress, KeyReused: there was an earlier request; nothing was begun.
        PaymentError: whatever ``begin`` raised; nothing is stored.
    """
    take_key = _key_taker(operation.request, resource_id, dependencies)

    def first_transaction(session: Session) -> Earlier | StoredAnswer | _Written:
        earlier = take_key(session)
        if earlier is not None:
            return earlier
        begun = begin(session)
        if isinstance(begun, StartedMovement):
            return _Written(begun, operation.present(begun.rows))
        return finish(session, operation.request, begun)

    try:
        first = _when_key_is_free(first_transaction, operation.request, dependencies)
    except CommitOutcomeUnknown as exc:
        if isinstance(exc.result, _Written):
            if _left_no_trace(operation.request):
                raise
            # It is written down, or may be: nobody is called, and the janitor ends it.
            return exc.result.pending
        # Nobody need be called, so it may be repeated: what was stored is found under its key.
        first = db.in_transaction(first_transaction)
    if isinstance(first, StoredAnswer):
        return first
    if isinstance(first, Earlier):
        return first.answer or _answer_as_it_stands(operation, first.resource_id, find, dependencies)
    return _send(operation, first, resource_id)


def answer_once(
    work: Callable[[Session], StoredAnswer],
    request: IdempotentRequest,
    resource_id: str,
    dependencies: Dependencies,
) -> StoredAnswer:
    """Carry out a request that calls nobody: its key, its work and its answer are stored in one transaction.

    Raises:
        KeyReused, KeyInProgress: see ``begin_key``.
        Whatever ``work`` raises; nothing is stored then, the key neither.
    """
    take_key = _key_taker(request, resource_id, dependencies)

    def only_transaction(session: Session) -> StoredAnswer:
        earlier = take_key(session)
        if earlier is None:
            return finish(session, request, work(session))
        if earlier.answer is None:
            raise LookupError("A key whose answer is stored with it has none.")
        return earlier.answer

    return db.in_transaction(only_transaction)


def find_payment(merchant_id: int) -> Find:
    """Return how a payment of the merchant is read by its public id, with its latest attempt."""

    def find(session: Session, public_id: str) -> PaymentRows:
        payment = lock_by_reference(session, MerchantPayment(merchant_id, public_id))
        return PaymentRows(payment, latest_attempt(session, payment))

    return find


def find_follow_up(model: type[F]) -> Find:
    """Return how a capture, void or refund is read by its public id, with its payment and attempt."""

    def find(session: Session, public_id: str) -> PaymentRows:
        row = session.scalars(select(model).where(model.public_id == public_id)).one()
        payment, movement = lock_movement(session, MovementReference.of(row))
        return PaymentRows(payment, attempt_of(session, movement), movement)

    return find


def _key_taker(
    request: IdempotentRequest, resource_id: str, dependencies: Dependencies
) -> Callable[[Session], Earlier | None]:
    lease, now = timedelta(seconds=dependencies.config.limits.idempotency_lease_s), utc_now()
    return lambda session: begin_key(session, request, resource_id, now, lease)


def _when_key_is_free(
    work: Callable[[Session], T], request: IdempotentRequest, dependencies: Dependencies
) -> T:
    """Run the first transaction; if an earlier request with this key is at work, once more when it answered.

    Raises:
        KeyInProgress: it was at work for too long.
    """
    try:
        return db.in_transaction(work)
    except KeyInProgress:
        if not wait_until(_is_answered(request), longest_wait(dependencies), dependencies):
            raise
    return db.in_transaction(work)


def _is_answered(request: IdempotentRequest) -> Callable[[Session], bool]:
    found = stored_as(request)
    return lambda session: any(row.answer_status is not None for row in session.scalars(found))


def _left_no_trace(request: IdempotentRequest) -> bool:
    """Whether the first transaction of ``request``, whose COMMIT was lost, seems not to be stored.

    Then nothing may be promised: what it would have made cannot be found under the id that it was given, and
    the caller may send the same key again. False where the database cannot be read either.
    """
    try:
        with db.reading() as session:
            return session.scalars(stored_as(request)).first() is None
    except DatabaseUnavailable:
        return False


def _send(operation: IdempotentOperation, written: _Written, resource_id: str) -> StoredAnswer:
    def tell(
        session: Session, settled: Settlement[AnyMovement], _failure: PaymentError | None
    ) -> StoredAnswer:
        movement = settled.movement
        if isinstance(movement, PaymentAttempt):
            rows = PaymentRows(settled.payment, movement)
        else:
            rows = PaymentRows(settled.payment, attempt_of(session, movement), movement)
        return finish(session, operation.request, operation.present(rows))

    try:
        return written.started.send(tell)
    except (CommitOutcomeUnknown, OutcomeUnsettled):
        # Not out of the rows: they cannot be read when the database is away.
        log.warning("outcome_left_to_janitor", resource=resource_id)
        return written.pending


def _answer_as_it_stands(
    operation: IdempotentOperation, resource_id: str, find: Find, dependencies: Dependencies
) -> StoredAnswer:
    """Answer for a request that died: from its rows as they stand, after asking if that is still open."""
    found = db.in_transaction(lambda session: find(session, resource_id))
    movement = found.follow_up or found.attempt
    if movement is not None and needs_inquiry(movement, dependencies):
        with suppress(CommitOutcomeUnknown):  # what was stored is read next
            inquire(movement, dependencies, actor=operation.actor)

    def answer(session: Session) -> StoredAnswer:
        return finish(session, operation.request, operation.present(find(session, resource_id)))

    return db.in_transaction(answer)
