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
from payment_service.values.statuses import MovementState

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Begun:
    """The claim, what to charge if it is ours, and the answer for when nothing more can be known."""

    claim: Claim
    pending: PaymentResult
    charge: Charge | None


def process_payment(
    reference: PaymentReference, paid_with: CardPayment, dependencies: Dependencies
) -> PaymentResult:
    """Charge the card at most once, and say how the payment stands.

    Raises:
        PaymentNotFound, PaymentBusy, PaymentClosed: nothing was begun.
        ChargeNotSent, ChargeAbandoned, ProcessingUnavailable: surely not charged, and payable again.
    """
    try:
        begun = _begin(reference, paid_with, dependencies)
        attempt = begun.claim.attempt
        if begun.charge is None and attempt is not None and needs_inquiry(attempt, dependencies):
            with suppress(CommitOutcomeUnknown):  # the next claim sees what was stored
                inquire(attempt, dependencies, actor=paid_with.actor)
            begun = _begin(reference, paid_with, dependencies)
    except CommitOutcomeUnknown as exc:
        return cast(_Begun, exc.result).pending
    if begun.charge is None:
        return _answer_from_claim(begun.claim, paid_with, dependencies)
    return _charge(begun.charge, begun.pending, dependencies)


def _begin(reference: PaymentReference, paid_with: CardPayment, dependencies: Dependencies) -> _Begun:
    """Transaction 1: claim the payment, or learn who has it."""
    new, policy = start_movement("att", paid_with.actor, dependencies), dependencies.policy
    new_one = new_attempt(new, paid_with, dependencies)

    def work(session: Session) -> _Begun:
        claim = claim_payment(session, policy.event_key, reference, new_one)
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


def _answer_from_claim(claim: Claim, paid_with: CardPayment, dependencies: Dependencies) -> PaymentResult:
    payment, attempt, grace_s = claim.payment, claim.attempt, dependencies.config.limits.busy_grace_s
    form_key = paid_with.form_key_hash
    is_own = form_key is not None and attempt is not None and attempt.form_key == form_key
    return result_for_payer(payment, attempt, utc_now(), grace_s, is_own_attempt=is_own)
