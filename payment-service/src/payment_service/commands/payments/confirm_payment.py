"""Pays a payment of /v1 with a card, or with one that is stored."""

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta

from service_kit.clock import utc_now
from service_kit.db.database import CommitOutcomeUnknown
from sqlalchemy.orm import Session

from payment_service.domain.idempotency_keys import StoredAnswer
from payment_service.domain.payments.claims import Claim, claim_payment
from payment_service.domain.payments.locks import MovementReference
from payment_service.domain.payments.references import MerchantPayment
from payment_service.domain.payments.results import CLOSED, SUCCEEDED, refuse_while_busy, result_for_payer
from payment_service.errors import WrongPaymentState
from payment_service.models.movement import PaymentAttempt
from payment_service.processing.abandonment import abandon_attempt
from payment_service.processing.charge import (
    PayWith,
    load_card,
    new_attempt,
    started_charge,
    take_over_customer,
)
from payment_service.processing.dependencies import Dependencies
from payment_service.processing.idempotent import (
    IdempotentOperation,
    PaymentRows,
    StartedMovement,
    find_payment,
    run_idempotent,
)
from payment_service.processing.inquiry import inquire, needs_inquiry
from payment_service.processing.sending import start_movement
from payment_service.processing.waiting import Waiting, is_at_work
from payment_service.values.statuses import MovementState, PaymentStatus


@dataclass(frozen=True, slots=True)
class ConfirmPayment:
    """Pay this payment; ``pay_with`` is a card, or the id of a stored one (``pm_…``)."""

    merchant_id: int
    payment_id: str
    pay_with: PayWith = field(repr=False)


class _InTheWay(Exception):
    """An open attempt stands in the way."""

    def __init__(self, attempt: PaymentAttempt) -> None:
        super().__init__(attempt.public_id)
        self.attempt = attempt


class _MustAskFirst(_InTheWay):
    """Its provider knows more of it."""


class _MustWaitFirst(_InTheWay):
    """Another request is at work on it."""


def confirm_payment(
    command: ConfirmPayment, operation: IdempotentOperation, dependencies: Dependencies
) -> StoredAnswer:
    """Charge at most once, and answer with the payment as it stands then.

    Whoever confirms a payment that waits for its cardholder wants to use another card: the provider is
    first told to end that attempt. A payment that another request is at work on is waited for: with the same
    card this one gets the same answer, with another card it is paid already then, or this card is tried.

    Raises:
        PaymentNotFound, PaymentMethodUnusable, PaymentMethodOfAnotherCustomer, WrongPaymentState,
            PaymentBusy: nothing was begun.
    """
    waiting = Waiting(dependencies)
    try:
        return _confirm_after_others(command, operation, waiting, dependencies)
    except _MustAskFirst as stop:
        _ask_or_end(stop.attempt, operation.actor, dependencies)
    try:
        return _confirm_after_others(command, operation, waiting, dependencies)
    except _MustAskFirst as stop:
        raise WrongPaymentState("confirmed", PaymentStatus.PROCESSING) from stop


def _confirm_after_others(
    command: ConfirmPayment, operation: IdempotentOperation, waiting: Waiting, dependencies: Dependencies
) -> StoredAnswer:
    while True:
        try:
            return _confirm(command, operation, waiting, dependencies)
        except _MustWaitFirst as stop:
            if not waiting.outlasts(stop.attempt):
                refuse_while_busy(stop.attempt, utc_now(), dependencies.config.limits.busy_grace_s)


def _confirm(
    command: ConfirmPayment, operation: IdempotentOperation, waiting: Waiting, dependencies: Dependencies
) -> StoredAnswer:
    merchant_id, new = command.merchant_id, start_movement("att", operation.actor, dependencies)
    waited = waiting.waited

    def begin(session: Session) -> StartedMovement | StoredAnswer:
        paid_with = load_card(session, merchant_id, command.pay_with, operation.actor, dependencies)
        reference = MerchantPayment(merchant_id, command.payment_id)
        attempt = new_attempt(new, paid_with, dependencies)
        claim = claim_payment(session, dependencies.policy.event_key, reference, attempt, waited)
        if not claim.is_ours or claim.attempt is None:
            _wait_for_others(session, claim, dependencies)
            if waited is not None and _is_answered(claim):
                return operation.present(PaymentRows(claim.payment, claim.attempt))
            _refuse(session, claim, dependencies)
            raise WrongPaymentState("confirmed", claim.payment.status)
        take_over_customer(claim.payment, paid_with)
        return started_charge(session, claim.payment, claim.attempt, paid_with, new, dependencies)

    return run_idempotent(operation, command.payment_id, begin, find_payment(merchant_id), dependencies)


def _wait_for_others(session: Session, claim: Claim, dependencies: Dependencies) -> None:
    attempt, grace = claim.attempt, timedelta(seconds=dependencies.config.limits.busy_grace_s)
    if attempt is not None and is_at_work(attempt, grace):
        session.expunge(attempt)  # see _refuse
        raise _MustWaitFirst(attempt)


def _is_answered(claim: Claim) -> bool:
    """Whether what was waited for answers for us too: it paid, or it tried the same card."""
    status = claim.payment.status
    return status in SUCCEEDED or (claim.is_repeat and status not in CLOSED)


def _refuse(session: Session, claim: Claim, dependencies: Dependencies) -> None:
    """Raise what stands in the way of a claim, where that is not just the payment's state."""
    attempt = claim.attempt
    if attempt is not None and needs_inquiry(attempt, dependencies):
        # The transaction is undone now, and with it whatever the session knows of the row.
        session.expunge(attempt)
        raise _MustAskFirst(attempt)
    if claim.payment.status == PaymentStatus.PROCESSING:
        result_for_payer(claim.payment, attempt, utc_now(), dependencies.config.limits.busy_grace_s)


def _ask_or_end(attempt: PaymentAttempt, actor: str, dependencies: Dependencies) -> None:
    """Make sure that the attempt takes nothing, or learn what it took; both may be repeated."""
    with suppress(CommitOutcomeUnknown):  # the next claim sees what was stored
        if attempt.state == MovementState.REQUIRES_ACTION:
            abandon_attempt(MovementReference.of(attempt), dependencies, actor=actor)
        else:
            inquire(attempt, dependencies, actor=actor)
