"""Takes the money for a payment: claim, judge, charge, settle (docs/adr/0005).

Three short transactions with two calls between them. This process may die between any two lines:
whatever it leaves behind is an attempt whose state says how far it came, and the janitor goes on.
"""

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256
from typing import cast

import structlog
from service_kit.clock import utc_now
from service_kit.database import CommitOutcomeUnknown
from service_kit.deadlines import Deadline, time_budget, time_left_s
from service_kit.http_client import NotSent, TooManyCalls
from service_kit.ids import new_id
from sqlalchemy.orm import Session

from payment_service.clients.fraud import AssessmentRequest, FraudSilent
from payment_service.commands.dependencies import Dependencies
from payment_service.commands.payments.ask_provider import ask_provider
from payment_service.domain.merchant_directory import MerchantRecord
from payment_service.domain.payments.claims import Claim, NewAttempt, claim_payment
from payment_service.domain.payments.fraud_policy import Verdict, judge, judge_silence
from payment_service.domain.payments.standing import Processed, ProcessingResult, as_it_stands, describe
from payment_service.domain.settlement.settler import Settlement
from payment_service.errors import ChargeNotSent, PaymentError, ProcessingUnavailable
from payment_service.extensions import db
from payment_service.models.payments.payment_attempt import PaymentAttempt
from payment_service.providers.port import ChargeRequest, Outcome, Provider, ProviderResult
from payment_service.values.card_data import CardData
from payment_service.values.statuses import MovementState

log = structlog.get_logger(__name__)

_RESERVED_FOR_SETTLING_S = 1.0


@dataclass(frozen=True, slots=True)
class ProcessPayment:
    """Pay a payment of the lab surface with a card.

    ``form_key`` is the page's one-time key: a form that arrives again gets the result of the first time.
    ``client_ip`` is empty unless it can be trusted.
    """

    payment_id: int
    card_number: str = field(repr=False)
    card_exp_month: int = field(repr=False)
    card_exp_year: int = field(repr=False)
    card_cvv: str = field(repr=False)
    client_ip: str | None = None
    form_key: str | None = None
    receipt_email: str | None = None
    receipt_locale: str | None = None

    @property
    def card(self) -> CardData:
        """The card, for the provider."""
        return CardData(self.card_number, self.card_exp_month, self.card_exp_year, self.card_cvv)


class _LeftToJanitor(Exception):
    """The charge may have been sent, and its outcome could not be stored: the janitor finds it out."""


def process_payment(command: ProcessPayment, dependencies: Dependencies) -> Processed:
    """Charge the card at most once, and say how the payment stands.

    Raises:
        PaymentNotFound, PaymentBusy, PaymentClosed: nothing was begun.
        ChargeNotSent, ProcessingUnavailable: surely not charged; the payment can be paid again.
    """
    try:
        begun = _begin(command, dependencies)
        if _is_left_behind(begun.claim, dependencies):
            with suppress(CommitOutcomeUnknown):  # the next claim sees what was stored
                ask_provider(begun.attempt, dependencies, within_s=dependencies.config.limits.ask_s)
            begun = _begin(command, dependencies)
    except CommitOutcomeUnknown as exc:
        return cast(_Begun, exc.result).pending
    if not begun.claim.is_ours:
        return _answer_from_claim(begun.claim, command, dependencies)
    return _carry_on(command, begun, dependencies)


@dataclass(frozen=True, slots=True)
class _Begun:
    """The claim, until when its charge may be sent, and the answer for when nothing more can be known."""

    claim: Claim
    pending: Processed
    merchant: MerchantRecord
    send_deadline: Deadline

    @property
    def attempt(self) -> PaymentAttempt:
        """The claim's attempt, where there must be one."""
        if self.claim.attempt is None:
            raise LookupError("This claim has no attempt.")
        return self.claim.attempt


def _begin(command: ProcessPayment, dependencies: Dependencies) -> _Begun:
    """Transaction 1: claim the payment, or learn who has it."""
    limits = dependencies.config.limits
    send_deadline = Deadline.after(limits.send_within_s)
    now = utc_now()
    new = NewAttempt(
        public_id=new_id("att"),
        provider=dependencies.provider.name,
        form_key=_form_key_hash(command),
        card_fingerprint=command.card.fingerprint(dependencies.config.card_fingerprint_key),
        card_bin=command.card.bin,
        card_last4=command.card.last4,
        receipt_email=command.receipt_email,
        receipt_locale=command.receipt_locale,
        started_at=now,
        send_before=now + timedelta(seconds=limits.send_within_s),
        next_ask_at=dependencies.settler.asks.next_ask_at(now, 0, now),
    )

    settler = dependencies.settler

    def work(session: Session) -> _Begun:
        claim = claim_payment(session, settler.event_key, command.payment_id, new)
        # For a commit of unknown outcome; what was paid before stays paid whatever became of it.
        result = ProcessingResult.PAID if claim.payment.is_paid else ProcessingResult.PENDING
        pending = describe(result, claim.payment, claim.attempt)
        merchant = settler.merchants.get(session, claim.payment.merchant_id)
        return _Begun(claim, pending, merchant, send_deadline)

    return db.in_transaction(work)


def _is_left_behind(claim: Claim, dependencies: Dependencies) -> bool:
    """Whether an attempt is open on which its sender can no longer be at work."""
    if claim.is_ours or claim.attempt is None or not claim.attempt.is_open:
        return False
    grace = timedelta(seconds=dependencies.config.limits.busy_grace_s)
    return utc_now() >= claim.attempt.send_before + grace


def _carry_on(command: ProcessPayment, begun: _Begun, dependencies: Dependencies) -> Processed:
    payment_id, attempt_id = begun.claim.payment.id, begun.attempt.id
    settler = dependencies.settler
    verdict = _judge(command, begun, dependencies)
    failure: PaymentError = ProcessingUnavailable("This payment cannot be checked at the moment.")
    now = utc_now()
    try:
        standing = db.in_transaction(
            lambda session: settler.decide(session, payment_id, attempt_id, verdict, now)
        )
        if standing.attempt.state == MovementState.SENDING:
            standing, failure = _charge_and_settle(command, begun, standing, dependencies)
    except (CommitOutcomeUnknown, _LeftToJanitor):
        log.warning("outcome_left_to_janitor", payment=payment_id)
        return begun.pending
    if standing.payment.is_paid:
        dependencies.waker.wake()
    if standing.attempt.state == MovementState.NOT_SENT:
        raise failure
    grace_s = dependencies.config.limits.busy_grace_s
    return as_it_stands(
        standing.payment,
        standing.attempt,
        utc_now(),
        busy_grace_s=grace_s,
        is_sender=True,
        is_own_attempt=True,
    )


def _judge(command: ProcessPayment, begun: _Begun, dependencies: Dependencies) -> Verdict:
    payment, attempt = begun.claim.payment, begun.attempt
    request = AssessmentRequest(
        attempt_id=attempt.public_id,
        payment_id=payment.public_id,
        merchant_id=begun.merchant.public_id,
        amount=payment.amount,
        card_fingerprint=attempt.card_fingerprint or "",
        card_bin=command.card.bin,
        card_last4=command.card.last4,
        user_id=payment.user_id,
        order_id=payment.order_id,
        client_ip=command.client_ip,
    )
    try:
        return judge(dependencies.fraud.assess(request))
    except FraudSilent as exc:
        log.warning("fraud_silent", payment=payment.public_id, reason=str(exc))
        return judge_silence(payment.amount, dependencies.config.fraud_silent_approve_below, str(exc))


def _charge_and_settle(
    command: ProcessPayment, begun: _Begun, standing: Settlement, dependencies: Dependencies
) -> tuple[Settlement, PaymentError]:
    """Send the charge, and apply what the provider said (transaction 3).

    Raises:
        _LeftToJanitor: the money may have moved, and that is not surely stored.
    """
    payment_id, attempt_id = standing.payment.id, standing.attempt.id
    try:
        result, failure = _charge(command, begun, standing, dependencies)
        now = utc_now()
        settled = db.in_transaction(
            lambda session: dependencies.settler.settle(session, payment_id, attempt_id, result, now)
        )
    except Exception as exc:
        # Whatever went wrong from here on says nothing about the money: no answer may sound as if it did.
        log.exception("charge_not_settled", payment=payment_id)
        raise _LeftToJanitor from exc
    return settled, failure


def _charge(
    command: ProcessPayment, begun: _Begun, standing: Settlement, dependencies: Dependencies
) -> tuple[ProviderResult, PaymentError]:
    """Send the charge once; the error is what to raise when the result turns out to be NOT_SENT."""
    payment, attempt = standing.payment, standing.attempt
    provider = dependencies.providers[attempt.provider]
    if begun.send_deadline.has_passed:
        return ProviderResult(Outcome.NOT_SENT, detail="too late to send"), ChargeNotSent()
    request = ChargeRequest(
        attempt_id=attempt.public_id,
        amount=attempt.amount,
        card=command.card,
        merchant_id=begun.merchant.public_id,
        order_id=payment.order_id,
    )
    try:
        result = provider.sale(request)
    except TooManyCalls as exc:
        unavailable = ProcessingUnavailable("Too many payments are under way.")
        return ProviderResult(Outcome.NOT_SENT, detail=str(exc)), unavailable
    except NotSent as exc:
        return ProviderResult(Outcome.NOT_SENT, detail=str(exc)), ChargeNotSent()
    if result.outcome is Outcome.PENDING:
        result = _ask_once(provider, attempt, result, dependencies)
    return result, ChargeNotSent()


def _ask_once(
    provider: Provider, attempt: PaymentAttempt, result: ProviderResult, dependencies: Dependencies
) -> ProviderResult:
    """Ask at once what came of a charge without an answer, if there is time: the customer is waiting."""
    available_s = time_left_s(dependencies.config.limits.ask_s + _RESERVED_FOR_SETTLING_S)
    try:
        with time_budget(available_s - _RESERVED_FOR_SETTLING_S):
            answer = provider.fetch_status(attempt.public_id)
    except NotSent:
        return result
    return result if answer.outcome is Outcome.NOT_FOUND else answer


def _answer_from_claim(claim: Claim, command: ProcessPayment, dependencies: Dependencies) -> Processed:
    form_key = _form_key_hash(command)
    return as_it_stands(
        claim.payment,
        claim.attempt,
        utc_now(),
        busy_grace_s=dependencies.config.limits.busy_grace_s,
        is_sender=False,
        is_own_attempt=form_key is not None
        and claim.attempt is not None
        and claim.attempt.form_key == form_key,
    )


def _form_key_hash(command: ProcessPayment) -> str | None:
    """Return the form key as it is stored: of fixed length, and exact on every engine."""
    return sha256(command.form_key.encode()).hexdigest() if command.form_key else None
