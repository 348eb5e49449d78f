"""Paying under an idempotency key: whatever arrives again is answered again, and charges nothing again."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from service_kit.db.database import CommitOutcomeUnknown
from sqlalchemy.orm import Session

from payment_service.domain.idempotency_keys import Earlier, IdempotentRequest, StoredAnswer, begin, finish
from payment_service.domain.payments.claims import Claim, latest_attempt, lock_by_reference
from payment_service.domain.payments.references import MerchantPayment
from payment_service.domain.settlement.settle import Settlement
from payment_service.errors import PaymentError
from payment_service.extensions import db
from payment_service.models.movement import PaymentAttempt
from payment_service.models.payment import Payment
from payment_service.processing.charge import Charge, OutcomeUnsettled, judge_and_charge, send_and_settle
from payment_service.processing.dependencies import Dependencies
from payment_service.processing.idempotent import left_no_trace
from payment_service.processing.inquiry import inquire_attempt, needs_inquiry
from payment_service.providers.port import ThreeDSecure

log = structlog.get_logger(__name__)
Present = Callable[[Payment, PaymentAttempt | None], StoredAnswer]


@dataclass(frozen=True, slots=True)
class IdempotentOperation:
    """A request under its key; ``present`` makes its answer from the rows as they stand."""

    request: IdempotentRequest
    present: Present


@dataclass(frozen=True, slots=True)
class Begun:
    """What the first transaction did; without a ``charge`` nobody need be called.

    ``is_judged``: fraud-service, or a person, has said yes already.
    """

    payment: Payment
    attempt: PaymentAttempt | None
    charge: Charge | None = None
    is_judged: bool = False


@dataclass(frozen=True, slots=True)
class _ToCharge:
    """``begun`` keeps the session's rows: what cannot change in them is not read again."""

    begun: Begun
    charge: Charge
    pending: StoredAnswer


def pay_once(
    payment_id: str,
    keyed: IdempotentOperation,
    begin_payment: Callable[[Session], Begun],
    dependencies: Dependencies,
    now: datetime,
) -> StoredAnswer:
    """Run ``begin_payment`` under the key, charge what it begun, and return the answer that is stored.

    ``payment_id`` is the public id of the payment, made beforehand where it is new.

    Raises:
        KeyInProgress, KeyReused: there was an earlier request; nothing was begun.
        PaymentError: whatever ``begin_payment`` raised; nothing is stored.
    """
    lease = timedelta(seconds=dependencies.config.limits.idempotency_lease_s)

    def work(session: Session) -> Earlier | StoredAnswer | _ToCharge:
        earlier = begin(session, keyed.request, payment_id, now, lease)
        if earlier is not None:
            return earlier
        begun = begin_payment(session)
        answer = keyed.present(begun.payment, begun.attempt)
        if begun.charge is None:
            return finish(session, keyed.request, answer)
        return _ToCharge(begun, begun.charge, answer)

    try:
        first = db.in_transaction(work)
    except CommitOutcomeUnknown as exc:
        if isinstance(exc.result, _ToCharge):
            if left_no_trace(keyed.request):
                raise
            # It is written down, or may be: nobody is called, and the janitor ends it.
            return exc.result.pending
        # Nobody need be called, so it may be repeated: what was stored is found under its key.
        first = db.in_transaction(work)
    if isinstance(first, StoredAnswer):
        return first
    if isinstance(first, Earlier):
        return first.answer or _answer_as_it_stands(first.resource_id, keyed, dependencies)
    return _charge(first, keyed, dependencies)


def refuse_once(
    payment_id: str,
    keyed: IdempotentOperation,
    refusal: PaymentError,
    dependencies: Dependencies,
    now: datetime,
) -> StoredAnswer:
    """Answer an earlier request with this key, whatever became of its card since; others are refused.

    Raises:
        KeyInProgress, KeyReused: there was an earlier request.
        PaymentError: ``refusal``, where there was none; nothing is stored.
    """

    def refuse(_session: Session) -> Begun:
        raise refusal

    return pay_once(payment_id, keyed, refuse, dependencies, now)


def _charge(todo: _ToCharge, keyed: IdempotentOperation, dependencies: Dependencies) -> StoredAnswer:
    answers: list[StoredAnswer] = []

    def when_settled(session: Session, settled: Settlement) -> None:
        answers.append(finish(session, keyed.request, keyed.present(settled.payment, settled.attempt)))

    try:
        if todo.begun.is_judged:
            # The payer is absent: nobody can be asked who they are.
            send_and_settle(todo.charge, dependencies, when_settled, three_ds=ThreeDSecure.NONE)
        else:
            judge_and_charge(todo.charge, dependencies, when_settled)
    except (CommitOutcomeUnknown, OutcomeUnsettled):
        log.warning("outcome_left_to_janitor", payment=todo.charge.payment_public_id)
        return todo.pending
    # The unit of work may have run more than once; its last run is the one that was stored.
    return answers[-1]


def _answer_as_it_stands(
    payment_id: str, keyed: IdempotentOperation, dependencies: Dependencies
) -> StoredAnswer:
    """Answer for a request that died: from its payment as it stands, after asking if that is still open."""
    reference = MerchantPayment(keyed.request.merchant_id, payment_id)

    def look(session: Session) -> Claim:
        payment = lock_by_reference(session, reference)
        return Claim(payment, latest_attempt(session, payment), is_ours=False)

    standing = db.in_transaction(look)
    if standing.attempt is not None and needs_inquiry(standing, dependencies):
        with suppress(CommitOutcomeUnknown):  # what was stored is read next
            inquire_attempt(standing.attempt, dependencies, within_s=dependencies.config.limits.ask_s)

    def answer(session: Session) -> StoredAnswer:
        found = look(session)
        return finish(session, keyed.request, keyed.present(found.payment, found.attempt))

    return db.in_transaction(answer)
