"""Charging a card for a claimed payment: judge, send, settle (docs/adr/0005).

Two short transactions after the claim's, with two calls between them. This process may die between any two
lines: whatever it leaves behind is an attempt whose state says how far it came, and the janitor goes on.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256

import structlog
from service_kit.clock import utc_now
from service_kit.deadlines import Deadline
from service_kit.ids import new_id
from service_kit.web.http_client import NotSent, TooManyCalls
from sqlalchemy.orm import Session

from payment_service.clients.fraud import AssessmentRequest, FraudSilent
from payment_service.domain.merchant_directory import MerchantRecord
from payment_service.domain.payments.claims import NewAttempt
from payment_service.domain.payments.fraud_policy import Course, Verdict, judge, judge_silence
from payment_service.domain.settlement.settle import Settlement
from payment_service.errors import ChargeNotSent, PaymentError, ProcessingUnavailable
from payment_service.extensions import db
from payment_service.models.movement import PaymentAttempt
from payment_service.models.payment import Payment
from payment_service.processing.dependencies import Dependencies
from payment_service.processing.inquiry import inquire_once
from payment_service.providers.port import Outcome, ProviderCharge, ProviderResult, ThreeDSecure
from payment_service.values.cards import CardData
from payment_service.values.money import Money
from payment_service.values.statuses import AttemptKind, MovementState
from payment_service.vault.vault import Purpose

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class CardPayment:
    """Somebody wants to pay with this card.

    ``form_key`` is the page's one-time key: a form that arrives again gets the result of the first time.
    ``client_ip`` is empty unless it can be trusted.
    """

    card: CardData = field(repr=False)
    actor: str
    client_ip: str | None = None
    form_key: str | None = None
    payment_method: str | None = None
    receipt_email: str | None = None
    receipt_locale: str | None = None

    @property
    def form_key_hash(self) -> str | None:
        """The form key as it is stored: of fixed length, and exact on every engine."""
        return sha256(self.form_key.encode()).hexdigest() if self.form_key else None


@dataclass(frozen=True, slots=True)
class Charge:
    """A claimed attempt to be carried on, as values: rows cannot be read when the database is away.

    ``send_deadline`` is until when its charge may begin.
    """

    payment_id: int
    payment_public_id: str
    order_id: str
    user_id: str
    attempt_id: int
    attempt_public_id: str
    kind: AttemptKind
    provider: str
    amount: Money
    card_fingerprint: str
    return_token: str | None
    merchant_public_id: str
    merchant_name: str
    card: CardData = field(repr=False)
    actor: str
    client_ip: str | None
    send_deadline: Deadline

    @classmethod
    def of(
        cls,
        payment: Payment,
        attempt: PaymentAttempt,
        merchant: MerchantRecord,
        wish: CardPayment,
        send_deadline: Deadline,
    ) -> "Charge":
        """Take the values out of the rows, inside the transaction that claims or approves."""
        return cls(
            payment_id=payment.id,
            payment_public_id=payment.public_id,
            order_id=payment.order_id,
            user_id=payment.user_id,
            attempt_id=attempt.id,
            attempt_public_id=attempt.public_id,
            kind=AttemptKind(attempt.kind),
            provider=attempt.provider,
            amount=attempt.amount,
            card_fingerprint=attempt.card_fingerprint or "",
            return_token=attempt.return_token,
            merchant_public_id=merchant.public_id,
            merchant_name=merchant.name,
            card=wish.card,
            actor=wish.actor,
            client_ip=wish.client_ip,
            send_deadline=send_deadline,
        )


class OutcomeUnsettled(Exception):
    """The charge may have been sent, and its outcome could not be stored: the janitor finds it out."""


WhenSettled = Callable[[Session, Settlement], object]


def new_attempt(wish: CardPayment, dependencies: Dependencies, now: datetime) -> NewAttempt:
    """Return the attempt that a claim writes down; everything random in it is drawn here."""
    config = dependencies.config
    return NewAttempt(
        public_id=new_id("att"),
        provider=dependencies.provider.name,
        actor=wish.actor,
        card_fingerprint=wish.card.fingerprint(config.card_fingerprint_key),
        card_bin=wish.card.bin,
        card_last4=wish.card.last4,
        return_token=secrets.token_urlsafe(24),
        started_at=now,
        send_before=now + timedelta(seconds=config.limits.send_within_s),
        next_ask_at=dependencies.settler.rules.inquiries.next_ask_at(now, 0, now),
        form_key=wish.form_key_hash,
        payment_method=wish.payment_method,
        receipt_email=wish.receipt_email,
        receipt_locale=wish.receipt_locale,
    )


def judge_and_charge(
    charge: Charge, dependencies: Dependencies, when_settled: WhenSettled
) -> tuple[Settlement, PaymentError]:
    """Ask fraud-service, then the bank, and settle; the error is what NOT_SENT means to whoever asked.

    ``when_settled`` runs in the transaction that stores the outcome.

    Raises:
        OutcomeUnsettled: the money may have moved, and that is not surely stored.
        CommitOutcomeUnknown: nothing was sent.
    """
    verdict = _judge(charge, dependencies)
    now = utc_now()

    def decide(session: Session) -> Settlement:
        standing = dependencies.settler.decide(
            session, charge.payment_id, charge.attempt_id, verdict, now, actor=charge.actor
        )
        if standing.attempt.state == MovementState.HELD:
            dependencies.vault.store(
                session,
                standing.attempt.public_id,
                Purpose.REVIEW,
                charge.card,
                standing.payment.merchant_id,
                now,
            )
        if standing.attempt.state != MovementState.SENDING:
            when_settled(session, standing)
        return standing

    standing = db.in_transaction(decide)
    if standing.attempt.state == MovementState.SENDING:
        three_ds = ThreeDSecure.REQUIRED if verdict.course is Course.CHALLENGE else ThreeDSecure.AUTOMATIC
        return send_and_settle(charge, dependencies, when_settled, three_ds=three_ds)
    return standing, ProcessingUnavailable("This payment cannot be processed at the moment.")


def send_and_settle(
    charge: Charge, dependencies: Dependencies, when_settled: WhenSettled, *, three_ds: ThreeDSecure
) -> tuple[Settlement, PaymentError]:
    """Send the charge of an attempt that is SENDING, and apply what the provider said.

    Raises:
        OutcomeUnsettled: the money may have moved, and that is not surely stored.
    """
    try:
        result, failure = _send(charge, dependencies, three_ds)
        now = utc_now()

        def settle(session: Session) -> Settlement:
            settled = dependencies.settler.settle(
                session, charge.payment_id, charge.attempt_id, result, now, actor=charge.actor
            )
            when_settled(session, settled)
            return settled

        settled = db.in_transaction(settle)
    except Exception as exc:
        # Whatever went wrong from here on says nothing about the money: no answer may sound as if it did.
        log.exception("charge_not_settled", payment=charge.payment_public_id)
        raise OutcomeUnsettled from exc
    if settled.payment.is_paid:
        dependencies.waker.wake()
    return settled, failure


def _judge(charge: Charge, dependencies: Dependencies) -> Verdict:
    request = AssessmentRequest(
        attempt_id=charge.attempt_public_id,
        payment_id=charge.payment_public_id,
        merchant_id=charge.merchant_public_id,
        amount=charge.amount,
        card_fingerprint=charge.card_fingerprint,
        card_bin=charge.card.bin,
        card_last4=charge.card.last4,
        # It knows nobody without a name; whoever has none is counted alone, not together with all such.
        user_id=charge.user_id or charge.payment_public_id,
        order_id=charge.order_id or charge.payment_public_id,
        client_ip=charge.client_ip,
    )
    try:
        return judge(dependencies.fraud.assess(request))
    except FraudSilent as exc:
        log.warning("fraud_silent", payment=charge.payment_public_id, reason=str(exc))
        return judge_silence(charge.amount, dependencies.config.fraud_silent_approve_below, str(exc))


def _send(
    charge: Charge, dependencies: Dependencies, three_ds: ThreeDSecure
) -> tuple[ProviderResult, PaymentError]:
    """Send the charge once; the error is what to raise when the result turns out to be NOT_SENT."""
    provider = dependencies.providers[charge.provider]
    if charge.send_deadline.has_passed:
        return ProviderResult(Outcome.NOT_SENT, detail="too late to send"), ChargeNotSent()
    request = ProviderCharge(
        attempt_id=charge.attempt_public_id,
        amount=charge.amount,
        card=charge.card,
        merchant_id=charge.merchant_public_id,
        # A bank wants some name for what is paid.
        order_id=charge.order_id or charge.payment_public_id,
        three_ds=three_ds,
        return_url=f"{dependencies.config.public_base_url}/checkout/3ds/{charge.return_token}",
        merchant_name=charge.merchant_name,
    )
    send = provider.authorise if charge.kind is AttemptKind.AUTHORIZATION else provider.sale
    try:
        result = send(request)
    except TooManyCalls as exc:
        unavailable = ProcessingUnavailable("Too many payments are under way.")
        return ProviderResult(Outcome.NOT_SENT, detail=str(exc)), unavailable
    except NotSent as exc:
        return ProviderResult(Outcome.NOT_SENT, detail=str(exc)), ChargeNotSent()
    if result.outcome is Outcome.PENDING:
        result = inquire_once(provider, charge.attempt_public_id, result, dependencies)
    return result, ChargeNotSent()
