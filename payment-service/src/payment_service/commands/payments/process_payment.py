"""Takes the money for a payment on a page or on the lab surface, where no idempotency key protects anybody.

Claim, judge, charge, settle (docs/adr/0005); sent again, it tells how the payment stands.
"""

from contextlib import suppress
from dataclasses import dataclass, field
from typing import cast

import structlog
from service_kit.clock import utc_now
from service_kit.db.database import CommitOutcomeUnknown
from service_kit.deadlines import Deadline
from sqlalchemy.orm import Session

from payment_service.domain.payments.claims import Claim, claim_payment
from payment_service.domain.payments.references import PaymentReference
from payment_service.domain.payments.results import PaymentResult, describe, result_for_payer
from payment_service.extensions import db
from payment_service.models.movement import PaymentAttempt
from payment_service.processing.charge import (
    CardPayment,
    Charge,
    OutcomeUnsettled,
    judge_and_charge,
    new_attempt,
)
from payment_service.processing.dependencies import Dependencies
from payment_service.processing.inquiry import inquire_attempt, needs_inquiry
from payment_service.values.cards import CardData
from payment_service.values.statuses import MovementState

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ProcessPayment:
    """Pay a payment with a card.

    ``form_key`` is the page's one-time key: a form that arrives again gets the result of the first time.
    ``client_ip`` is empty unless it can be trusted.
    """

    reference: PaymentReference
    card_number: str = field(repr=False)
    card_exp_month: int = field(repr=False)
    card_exp_year: int = field(repr=False)
    card_cvv: str = field(repr=False)
    actor: str
    client_ip: str | None = None
    form_key: str | None = None
    receipt_email: str | None = None
    receipt_locale: str | None = None

    @property
    def wish(self) -> CardPayment:
        """The wish to pay."""
        return CardPayment(
            card=CardData(self.card_number, self.card_exp_month, self.card_exp_year, self.card_cvv),
            actor=self.actor,
            client_ip=self.client_ip,
            form_key=self.form_key,
            receipt_email=self.receipt_email,
            receipt_locale=self.receipt_locale,
        )


@dataclass(frozen=True, slots=True)
class _Begun:
    """The claim, what to charge if it is ours, and the answer for when nothing more can be known."""

    claim: Claim
    pending: PaymentResult
    charge: Charge | None

    @property
    def attempt(self) -> PaymentAttempt:
        """The claim's attempt, where there must be one."""
        if self.claim.attempt is None:
            raise LookupError("This claim has no attempt.")
        return self.claim.attempt


def process_payment(command: ProcessPayment, dependencies: Dependencies) -> PaymentResult:
    """Charge the card at most once, and say how the payment stands.

    Raises:
        PaymentNotFound, PaymentBusy, PaymentClosed: nothing was begun.
        ChargeNotSent, ChargeAbandoned, ProcessingUnavailable: surely not charged, and payable again.
    """
    wish = command.wish
    try:
        begun = _begin(command.reference, wish, dependencies)
        if needs_inquiry(begun.claim, dependencies):
            with suppress(CommitOutcomeUnknown):  # the next claim sees what was stored
                inquire_attempt(
                    begun.attempt,
                    dependencies,
                    within_s=dependencies.config.limits.ask_s,
                    actor=command.actor,
                )
            begun = _begin(command.reference, wish, dependencies)
    except CommitOutcomeUnknown as exc:
        return cast(_Begun, exc.result).pending
    if begun.charge is None:
        return _answer_from_claim(begun.claim, wish, dependencies)
    return _carry_on(begun.charge, begun.pending, dependencies)


def _begin(reference: PaymentReference, wish: CardPayment, dependencies: Dependencies) -> _Begun:
    """Transaction 1: claim the payment, or learn who has it."""
    send_deadline = Deadline.after(dependencies.config.limits.send_within_s)
    new = new_attempt(wish, dependencies, utc_now())
    rules = dependencies.settler.rules

    def work(session: Session) -> _Begun:
        claim = claim_payment(session, rules.event_key, reference, new)
        # For a commit of unknown outcome; what was paid before stays paid whatever became of it.
        pending = describe(claim.payment, claim.attempt)
        if not claim.is_ours or claim.attempt is None:
            return _Begun(claim, pending, None)
        merchant = rules.merchants.get(session, claim.payment.merchant_id)
        charge = Charge.of(claim.payment, claim.attempt, merchant, wish, send_deadline)
        return _Begun(claim, pending, charge)

    return db.in_transaction(work)


def _carry_on(charge: Charge, pending: PaymentResult, dependencies: Dependencies) -> PaymentResult:
    try:
        standing, failure = judge_and_charge(charge, dependencies, lambda _session, _settled: None)
    except (CommitOutcomeUnknown, OutcomeUnsettled):
        log.warning("outcome_left_to_janitor", payment=charge.payment_public_id)
        return pending
    if standing.attempt.state == MovementState.NOT_SENT:
        raise failure
    grace_s = dependencies.config.limits.busy_grace_s
    return result_for_payer(
        standing.payment,
        standing.attempt,
        utc_now(),
        busy_grace_s=grace_s,
        is_sender=True,
        is_own_attempt=True,
    )


def _answer_from_claim(claim: Claim, wish: CardPayment, dependencies: Dependencies) -> PaymentResult:
    return result_for_payer(
        claim.payment,
        claim.attempt,
        utc_now(),
        busy_grace_s=dependencies.config.limits.busy_grace_s,
        is_sender=False,
        is_own_attempt=wish.form_key is not None
        and claim.attempt is not None
        and claim.attempt.form_key == wish.form_key_hash,
    )
