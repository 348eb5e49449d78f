"""Pays a payment of /v1 with a card, or with one that is stored."""

from contextlib import suppress
from dataclasses import dataclass, field

from service_kit.clock import utc_now
from service_kit.db.database import CommitOutcomeUnknown
from service_kit.deadlines import Deadline
from sqlalchemy.orm import Session

from payment_service.domain.idempotency_keys import StoredAnswer
from payment_service.domain.payments.claims import Claim, NewAttempt, claim_payment
from payment_service.domain.payments.references import MerchantPayment
from payment_service.domain.payments.results import result_for_payer
from payment_service.errors import PaymentMethodUnusable, WrongPaymentState
from payment_service.extensions import db
from payment_service.models.movement import PaymentAttempt
from payment_service.processing.abandonment import WaitingAttempt, abandon_attempt
from payment_service.processing.charge import CardPayment, Charge, new_attempt
from payment_service.processing.dependencies import Dependencies
from payment_service.processing.inquiry import inquire_attempt, needs_inquiry
from payment_service.processing.pay_once import Begun, IdempotentOperation, pay_once, refuse_once
from payment_service.values.cards import CardData
from payment_service.values.statuses import MovementState, PaymentStatus
from payment_service.vault.vault import Purpose


@dataclass(frozen=True, slots=True)
class TypedCard:
    """A card as a merchant's server sent it."""

    number: str = field(repr=False)
    exp_month: int = field(repr=False)
    exp_year: int = field(repr=False)
    cvc: str | None = field(repr=False)


PayWith = TypedCard | str


@dataclass(frozen=True, slots=True)
class ConfirmPayment:
    """Pay this payment; ``pay_with`` is a card, or the id of a stored one (``pm_…``)."""

    merchant_id: int
    payment_id: str
    pay_with: PayWith = field(repr=False)
    actor: str


class _MustAskFirst(Exception):
    """An open attempt stands in the way of which its provider knows more."""

    def __init__(self, attempt: PaymentAttempt) -> None:
        super().__init__(attempt.public_id)
        self.attempt = attempt


def confirm_payment(
    command: ConfirmPayment, keyed: IdempotentOperation, dependencies: Dependencies
) -> StoredAnswer:
    """Charge at most once, and answer with the payment as it stands then.

    Whoever confirms a payment that waits for its cardholder wants to use another card: the provider is
    first told to end that attempt.

    Raises:
        PaymentNotFound, PaymentMethodUnusable, WrongPaymentState, PaymentBusy: nothing was begun.
    """
    try:
        wish = load_card(command.merchant_id, command.pay_with, command.actor, dependencies)
    except PaymentMethodUnusable as refusal:
        return refuse_once(command.payment_id, keyed, refusal, dependencies, utc_now())
    try:
        return _confirm(command, wish, keyed, dependencies)
    except _MustAskFirst as stop:
        _ask_or_end(stop.attempt, command.actor, dependencies)
    try:
        return _confirm(command, wish, keyed, dependencies)
    except _MustAskFirst as stop:
        raise WrongPaymentState("confirmed", PaymentStatus.PROCESSING) from stop


def load_card(merchant_id: int, pay_with: PayWith, actor: str, dependencies: Dependencies) -> CardPayment:
    """Return the wish to pay; a stored card is taken out of the vault, without a CVV.

    It has no address: who calls is the merchant's server, for all of its customers.

    Raises:
        PaymentMethodUnusable: the merchant has no such stored card (any more).
    """
    if isinstance(pay_with, TypedCard):
        card = CardData(pay_with.number, pay_with.exp_month, pay_with.exp_year, pay_with.cvc)
        return CardPayment(card=card, actor=actor)
    with db.reading() as session:
        # One that is detached has left the vault.
        stored = dependencies.vault.open(session, pay_with, Purpose.PAYMENT_METHOD, merchant_id)
    if stored is None:
        raise PaymentMethodUnusable
    return CardPayment(card=stored, actor=actor, payment_method=pay_with)


def begin_charge(
    session: Session,
    reference: MerchantPayment,
    wish: CardPayment,
    new: NewAttempt,
    send_deadline: Deadline,
    dependencies: Dependencies,
) -> Begun:
    """Claim the payment and return what is to be charged.

    Raises:
        PaymentNotFound, WrongPaymentState, PaymentBusy: nothing was begun.
    """
    rules = dependencies.settler.rules
    claim = claim_payment(session, rules.event_key, reference, new)
    if not claim.is_ours or claim.attempt is None:
        _refuse(session, claim, dependencies)
        raise WrongPaymentState("confirmed", claim.payment.status)
    merchant = rules.merchants.get(session, claim.payment.merchant_id)
    charge = Charge.of(claim.payment, claim.attempt, merchant, wish, send_deadline)
    return Begun(claim.payment, claim.attempt, charge)


def _confirm(
    command: ConfirmPayment, wish: CardPayment, keyed: IdempotentOperation, dependencies: Dependencies
) -> StoredAnswer:
    now = utc_now()
    send_deadline = Deadline.after(dependencies.config.limits.send_within_s)
    new = new_attempt(wish, dependencies, now)
    reference = MerchantPayment(command.merchant_id, command.payment_id)

    def begin_payment(session: Session) -> Begun:
        return begin_charge(session, reference, wish, new, send_deadline, dependencies)

    return pay_once(command.payment_id, keyed, begin_payment, dependencies, now)


def _refuse(session: Session, claim: Claim, dependencies: Dependencies) -> None:
    """Raise what stands in the way of a claim, where that is not just the payment's state."""
    attempt = claim.attempt
    if attempt is not None and needs_inquiry(claim, dependencies):
        # The transaction is undone now, and with it whatever the session knows of the row.
        session.expunge(attempt)
        raise _MustAskFirst(attempt)
    if claim.payment.status == PaymentStatus.PROCESSING:
        result_for_payer(
            claim.payment,
            attempt,
            utc_now(),
            busy_grace_s=dependencies.config.limits.busy_grace_s,
            is_sender=False,
            is_own_attempt=False,
        )


def _ask_or_end(attempt: PaymentAttempt, actor: str, dependencies: Dependencies) -> None:
    """Make sure that the attempt takes nothing, or learn what it took; both may be repeated."""
    with suppress(CommitOutcomeUnknown):  # the next claim sees what was stored
        if attempt.state == MovementState.REQUIRES_ACTION:
            abandon_attempt(WaitingAttempt.of(attempt), dependencies, actor=actor)
        else:
            inquire_attempt(attempt, dependencies, within_s=dependencies.config.limits.ask_s, actor=actor)
