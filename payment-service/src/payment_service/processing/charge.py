"""Charging a card for a claimed payment: assess, send, settle (docs/adr/0005).

Two short transactions after the claim's, with two calls between them. This process may die between any two
lines: whatever it leaves behind is an attempt whose state says how far it came, and the janitor goes on.
"""

import secrets
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Generic

import structlog
from service_kit.clock import utc_now
from service_kit.deadlines import Deadline
from service_kit.web.http_client import NotSent, TooManyCalls
from sqlalchemy import select
from sqlalchemy.orm import Session

from payment_service.clients.fraud import AssessmentRequest, FraudSilent
from payment_service.domain.payments.locks import MovementReference
from payment_service.domain.payments.movements import NewAttempt, NewMovement
from payment_service.domain.settlement.assessments import (
    apply_assessment,
    assess_without_fraud_service,
    refuse_another_card,
)
from payment_service.errors import (
    ChargeNotSent,
    PaymentMethodOfAnotherCustomer,
    PaymentMethodUnusable,
    ProcessingUnavailable,
)
from payment_service.extensions import db
from payment_service.models.card import PaymentMethod
from payment_service.models.movement import PaymentAttempt
from payment_service.models.payment import Payment
from payment_service.processing.dependencies import Dependencies
from payment_service.processing.idempotent import PaymentRows, StartedMovement
from payment_service.processing.inquiry import ask_at_once
from payment_service.processing.sending import A, Sent, Tell, send_and_settle
from payment_service.providers.port import Outcome, ProviderCharge, ProviderResult, ThreeDSecure
from payment_service.values.cards import CardData
from payment_service.values.statuses import Assessment, AttemptKind, FraudDecision, MovementState
from payment_service.vault.vault import Purpose

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class CardPayment:
    """Somebody wants to pay with this card.

    ``form_key`` is the page's one-time key: a form that arrives again gets the result of the first time.
    ``client_ip`` is empty unless it can be trusted. ``customer_id`` is to whom a stored card belongs.
    """

    card: CardData = field(repr=False)
    actor: str
    client_ip: str | None = None
    form_key: str | None = None
    payment_method: str | None = None
    customer_id: str | None = None
    receipt_email: str | None = None
    receipt_locale: str | None = None

    @property
    def form_key_hash(self) -> str | None:
        """The form key as it is stored: of fixed length, and exact on every engine."""
        return sha256(self.form_key.encode()).hexdigest() if self.form_key else None


# A card, or the id of a stored one (``pm_…``).
PayWith = CardData | str


@dataclass(frozen=True, slots=True)
class Charge:
    """A claimed attempt to be carried on, as values: rows cannot be read when the database is away.

    It is what fraud-service and what the bank will be asked, neither of them after a ``refusal``.
    ``send_deadline`` is until when its charge may begin.
    """

    attempt: MovementReference[PaymentAttempt]
    kind: AttemptKind
    assessment: AssessmentRequest
    request: ProviderCharge = field(repr=False)
    actor: str
    send_deadline: Deadline
    refusal: Assessment | None


def charge_of(
    session: Session,
    payment: Payment,
    attempt: PaymentAttempt,
    paid_with: CardPayment,
    new: NewMovement,
    dependencies: Dependencies,
) -> Charge:
    """Take the values out of the rows, inside the transaction that claims or approves."""
    merchant = dependencies.policy.merchants.get(session, payment.merchant_id)
    card, base_url = paid_with.card, dependencies.config.public_base_url
    # Everybody wants some name for what is paid.
    order_id = payment.order_id or payment.public_id
    assessment = AssessmentRequest(
        attempt_id=attempt.public_id,
        payment_id=payment.public_id,
        merchant_id=merchant.public_id,
        amount=attempt.amount,
        card_fingerprint=attempt.card_fingerprint or "",
        card_bin=card.bin,
        card_last4=card.last4,
        # Whoever has no name is counted alone, not together with all such.
        user_id=payment.user_id or payment.public_id,
        order_id=order_id,
        client_ip=paid_with.client_ip,
        has_cvv=card.has_cvv,
    )
    request = ProviderCharge(
        attempt_id=attempt.public_id,
        amount=attempt.amount,
        card=card,
        merchant_id=merchant.public_id,
        order_id=order_id,
        return_url=f"{base_url}/checkout/3ds/{attempt.return_token}",
        merchant_name=merchant.name,
    )
    reference = MovementReference.of(attempt)
    refusal = refuse_another_card(session, payment, attempt, dependencies.config.cards_per_payment)
    return Charge(reference, attempt.kind, assessment, request, paid_with.actor, new.send_deadline, refusal)


@dataclass(frozen=True, slots=True)
class _Told(Generic[A]):
    answer: A


def load_card(
    session: Session, merchant_id: int, pay_with: PayWith, actor: str, dependencies: Dependencies
) -> CardPayment:
    """Return how it is paid; a stored card is taken out of the vault, without a CVV.

    It has no address: who calls is the merchant's server, for all of its customers.

    Raises:
        PaymentMethodUnusable: the merchant has no such stored card (any more).
    """
    if isinstance(pay_with, CardData):
        return CardPayment(card=pay_with, actor=actor)
    # One that is detached has left the vault.
    stored = dependencies.vault.open(session, pay_with, Purpose.PAYMENT_METHOD, merchant_id)
    if stored is None:
        raise PaymentMethodUnusable
    customer_id = session.scalar(select(PaymentMethod.customer_id).where(PaymentMethod.public_id == pay_with))
    return CardPayment(card=stored, actor=actor, payment_method=pay_with, customer_id=customer_id)


def take_over_customer(payment: Payment, paid_with: CardPayment) -> None:
    """Let a stored card pay for its customer only; a payment that names nobody becomes that customer's.

    Raises:
        PaymentMethodOfAnotherCustomer: the payment names somebody else.
    """
    if paid_with.customer_id is None:
        return
    if payment.user_id not in {"", paid_with.customer_id}:
        raise PaymentMethodOfAnotherCustomer
    payment.user_id = paid_with.customer_id


def new_attempt(movement: NewMovement, paid_with: CardPayment, dependencies: Dependencies) -> NewAttempt:
    """Return the attempt that a claim writes down.

    Its token may be drawn inside the transaction: a unit that is run again stores its row anew.
    """
    card = paid_with.card
    return NewAttempt(
        movement=movement,
        provider=dependencies.provider.name,
        card_fingerprint=card.fingerprint(dependencies.config.card_fingerprint_key),
        card_bin=card.bin,
        card_last4=card.last4,
        return_token=secrets.token_urlsafe(24),
        form_key=paid_with.form_key_hash,
        payment_method=paid_with.payment_method,
        receipt_email=paid_with.receipt_email,
        receipt_locale=paid_with.receipt_locale,
    )


def started_charge(
    session: Session,
    payment: Payment,
    attempt: PaymentAttempt,
    paid_with: CardPayment,
    new: NewMovement,
    dependencies: Dependencies,
) -> StartedMovement:
    """Return a claimed attempt as ``run_idempotent`` carries it on."""
    charge = charge_of(session, payment, attempt, paid_with, new, dependencies)
    return StartedMovement(
        PaymentRows(payment, attempt), lambda tell: assess_and_charge(charge, dependencies, tell)
    )


def assess_and_charge(charge: Charge, dependencies: Dependencies, tell: Tell[PaymentAttempt, A]) -> A:
    """Ask fraud-service, then the bank, settle, and return what ``tell`` makes of that.

    ``tell`` runs in the transaction that stores the outcome; its error is what NOT_SENT means to whoever
    asked.

    Raises:
        OutcomeUnsettled: the money may have moved, and that is not surely stored.
        CommitOutcomeUnknown: nothing was sent.
    """
    assessment = _assess(charge, dependencies)
    now = utc_now()

    def work(session: Session) -> _Told[A] | None:
        assessed = apply_assessment(
            session, dependencies.policy, charge.attempt, assessment, now, actor=charge.actor
        )
        attempt = assessed.movement
        if attempt.state == MovementState.SENDING:
            return None
        if attempt.state == MovementState.HELD:
            merchant_id = assessed.payment.merchant_id
            dependencies.vault.store(
                session, attempt.public_id, Purpose.REVIEW, charge.request.card, merchant_id, now
            )
        unavailable = ProcessingUnavailable("This payment cannot be processed at the moment.")
        return _Told(tell(session, assessed, unavailable))

    told = db.in_transaction(work)
    if told is not None:
        return told.answer
    is_challenged = assessment.decision is FraudDecision.CHALLENGE
    three_ds = ThreeDSecure.REQUIRED if is_challenged else ThreeDSecure.AUTOMATIC
    return send_charge(charge, three_ds, dependencies, tell)


def send_charge(
    charge: Charge, three_ds: ThreeDSecure, dependencies: Dependencies, tell: Tell[PaymentAttempt, A]
) -> A:
    """Send the charge of an attempt that is SENDING, and settle it; see ``send_and_settle``."""
    return send_and_settle(
        charge.attempt, lambda: _send(charge, three_ds, dependencies), charge.actor, dependencies, tell
    )


def _assess(charge: Charge, dependencies: Dependencies) -> Assessment:
    if charge.refusal is not None:
        return charge.refusal
    try:
        return dependencies.fraud.assess(charge.assessment)
    except FraudSilent as exc:
        log.warning("fraud_silent", payment=charge.assessment.payment_id, reason=str(exc))
        return assess_without_fraud_service(
            charge.request.amount, dependencies.config.fraud_silent_approve_below, str(exc)
        )


def _send(charge: Charge, three_ds: ThreeDSecure, dependencies: Dependencies) -> Sent:
    provider = dependencies.providers[charge.attempt.provider]
    if charge.send_deadline.has_passed:
        return ProviderResult(Outcome.NOT_SENT, detail="too late to send"), ChargeNotSent()
    send = provider.authorise if charge.kind is AttemptKind.AUTHORIZATION else provider.sale
    try:
        result = send(replace(charge.request, three_ds=three_ds))
    except TooManyCalls as exc:
        unavailable = ProcessingUnavailable("Too many payments are under way.")
        return ProviderResult(Outcome.NOT_SENT, detail=str(exc)), unavailable
    except NotSent as exc:
        return ProviderResult(Outcome.NOT_SENT, detail=str(exc)), ChargeNotSent()
    if result.outcome is Outcome.PENDING:
        result = ask_at_once(provider, charge.attempt.public_id, result, dependencies)
    return result, ChargeNotSent()
