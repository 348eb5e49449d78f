"""Takes the money for a payment on a page or on the lab surface, where no idempotency key protects anybody.

Claim, assess, charge, settle (docs/adr/0005); sent again, it tells how the payment stands.
"""

from contextlib import suppress
from dataclasses import dataclass
from typing import cast

import structlog
from service_kit.clock import utc_now
from service_kit.db.database import CommitOutcomeUnknown
from sqlalchemy.orm import Session

from payment_service.domain.payments.claims import Claim, claim_payment
from payment_service.domain.payments.references import PaymentReference
from payment_service.domain.payments.results import PaymentResult, describe, result_for_payer
from payment_service.domain.settlement.settle import Settlement
from payment_service.errors import PaymentError
from payment_service.extensions import db
from payment_service.models.movement import PaymentAttempt
from payment_service.processing.charge import CardPayment, Charge, assess_and_charge, charge_of, new_attempt
from payment_service.processing.dependencies import Dependencies
from payment_service.processing.inquiry import inquire, needs_inquiry
from payment_service.processing.sending import OutcomeUnsettled, start_movement
from payment_service.processing.waiting import Waiting
from payment_service.values.statuses import MovementState

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Begun:
    """The claim, what to charge if it is ours, and the answer for when nothing more can be known."""

    claim: Claim
    pending: PaymentResult
    charge: Charge | None

    @property
    def attempt_of_others(self) -> PaymentAttempt | None:
        """What answers for us, if nothing was begun."""
        return self.claim.attempt if self.charge is None else None


def process_payment(
    reference: PaymentReference, paid_with: CardPayment, dependencies: Dependencies
) -> PaymentResult:
    """Charge the card at most once, and say how the payment stands.

    A payment that another request is at work on is waited for: with the same card this one gets the same
    answer, with another card it is paid already then, or this card is tried.

    Raises:
        PaymentNotFound, PaymentBusy, PaymentClosed: nothing was begun.
        ChargeNotSent, ChargeAbandoned, ProcessingUnavailable: surely not charged, and payable again.
    """
    waiting = Waiting(dependencies)
    try:
        begun = _begin(reference, paid_with, waiting, dependencies)
        attempt = begun.attempt_of_others
        if attempt is not None and needs_inquiry(attempt, dependencies):
            with suppress(CommitOutcomeUnknown):  # the next claim sees what was stored
                inquire(attempt, dependencies, actor=paid_with.actor)
            begun = _begin(reference, paid_with, waiting, dependencies)
        while begun.attempt_of_others is not None and waiting.outlasts(begun.attempt_of_others):
            begun = _begin(reference, paid_with, waiting, dependencies)
    except CommitOutcomeUnknown as exc:
        return cast(_Begun, exc.result).pending
    if begun.charge is None:
        return _answer_from_claim(begun.claim, paid_with, waiting, dependencies)
    return _charge(begun.charge, begun.pending, dependencies)


def _begin(
    reference: PaymentReference, paid_with: CardPayment, waiting: Waiting, dependencies: Dependencies
) -> _Begun:
    """Transaction 1: claim the payment, or learn who has it."""
    new, policy = start_movement("att", paid_with.actor, dependencies), dependencies.policy
    new_one, waited = new_attempt(new, paid_with, dependencies), waiting.waited

    def work(session: Session) -> _Begun:
        claim = claim_payment(session, policy.event_key, reference, new_one, waited)
        # For a commit of unknown outcome; what was paid before stays paid whatever became of it.
        pending = describe(claim.payment, claim.attempt)
        if not claim.is_ours or claim.attempt is None:
            return _Begun(claim, pending, None)
        charge = charge_of(session, claim.payment, claim.attempt, paid_with, new, dependencies)
        return _Begun(claim, pending, charge)

    return db.in_transaction(work)


def _charge(charge: Charge, pending: PaymentResult, dependencies: Dependencies) -> PaymentResult:
    def tell(
        _session: Session, settled: Settlement[PaymentAttempt], failure: PaymentError | None
    ) -> tuple[Settlement[PaymentAttempt], PaymentError | None]:
        return settled, failure

    try:
        settled, failure = assess_and_charge(charge, dependencies, tell)
    except (CommitOutcomeUnknown, OutcomeUnsettled):
        log.warning("outcome_left_to_janitor", payment=charge.assessment.payment_id)
        return pending
    if settled.movement.state == MovementState.NOT_SENT and failure is not None:
        raise failure
    return result_for_payer(settled.payment, settled.movement, utc_now(), None, is_own_attempt=True)


def _answer_from_claim(
    claim: Claim, paid_with: CardPayment, waiting: Waiting, dependencies: Dependencies
) -> PaymentResult:
    payment, attempt, form_key = claim.payment, claim.attempt, paid_with.form_key_hash
    is_own = form_key is not None and attempt is not None and attempt.form_key == form_key
    grace_s = None if waiting.has_seen_the_end_of(attempt) else dependencies.config.limits.busy_grace_s
    return result_for_payer(payment, attempt, utc_now(), grace_s, is_own_attempt=is_own)
