"""Claiming a payment: of two requests at once, one processes it and the other gets its answer."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from payment_service.domain.payments.events import EventKey, next_event, store_event
from payment_service.domain.payments.movements import NewAttempt, write_down
from payment_service.domain.payments.references import PaymentReference
from payment_service.domain.payments.transitions import HOLDING, PAYABLE, change_status
from payment_service.errors import PaymentBusy
from payment_service.models.movement import PaymentAttempt
from payment_service.models.payment import Payment, PaymentEvent
from payment_service.values.statuses import AttemptKind, CaptureMethod, MovementState, PaymentStatus

SHORTEST_PAUSE_S = 1
_KINDS = {
    CaptureMethod.AUTOMATIC: AttemptKind.SALE,
    CaptureMethod.MANUAL: AttemptKind.AUTHORIZATION,
}


@dataclass(frozen=True, slots=True)
class Claim:
    """``is_ours``: the attempt is new and ours to carry on. Otherwise it is the one that answers for us.

    ``is_repeat``: it tries, or tried, what we want to: it is of the same form, or of the same card while we
    waited.
    """

    payment: Payment
    attempt: PaymentAttempt | None
    is_ours: bool
    is_repeat: bool = False


@dataclass(frozen=True, slots=True)
class Waited:
    """A request waited for others: ``since`` is the id of the attempt that it met first.

    ``may_try``: there is time left for an attempt of its own.
    """

    since: int
    may_try: bool


def claim_payment(
    session: Session,
    key: EventKey,
    reference: PaymentReference,
    new: NewAttempt,
    waited: Waited | None = None,
) -> Claim:
    """Lock the payment and begin an attempt on it, if it can be paid and nobody tried the same before.

    The same is: this form whenever it was sent, or this card while we waited.

    Raises:
        PaymentNotFound: there is none, or the caller may not see it.
        PaymentBusy: it could be paid, but we waited too long for an attempt of our own.
    """
    payment = lock_by_reference(session, reference)
    repeated = _attempt_of_form(session, payment, new.form_key) or _attempt_meanwhile(
        session, payment, new, waited
    )
    has_succeeded = payment.is_paid or payment.status in HOLDING
    if repeated is not None and not has_succeeded:
        return Claim(payment, repeated, is_ours=False, is_repeat=True)
    if payment.status not in PAYABLE:
        # The latest attempt of a payment that succeeded is the one that did it, whichever form was sent.
        return Claim(payment, latest_attempt(session, payment), is_ours=False)
    if waited is not None and not waited.may_try:
        raise PaymentBusy(SHORTEST_PAUSE_S)
    attempt, event = _begin(key, payment, new)
    session.add(attempt)
    store_event(session, event)
    session.flush()  # gives the attempt its id
    return Claim(payment, attempt, is_ours=True)


def store_claimed_payment(
    session: Session, key: EventKey, payment: Payment, new: NewAttempt, *, actor: str
) -> PaymentAttempt:
    """Insert a new payment that is claimed already, with all that happened to it; return its attempt."""
    created = creation_of(key, payment, actor=actor)
    attempt, processing = _begin(key, payment, new)
    session.add(payment)
    session.flush()
    attempt.payment_id = created.payment_id = processing.payment_id = payment.id
    session.add(attempt)
    store_event(session, created)
    store_event(session, processing)
    session.flush()  # gives the attempt its id
    return attempt


def lock_by_reference(session: Session, reference: PaymentReference) -> Payment:
    """Lock a payment that may not exist.

    Raises:
        PaymentNotFound: there is none, or the caller may not see it.
    """
    payment = session.scalar(
        select(Payment)
        .where(reference.condition())
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if payment is None:
        raise reference.not_found()
    return payment


def latest_attempt(session: Session, payment: Payment) -> PaymentAttempt | None:
    """Return the last try to take or hold the money; reversals are none."""
    return session.scalar(
        select(PaymentAttempt)
        .where(PaymentAttempt.payment_id == payment.id, PaymentAttempt.kind != AttemptKind.REVERSAL)
        .order_by(PaymentAttempt.id.desc())
        .limit(1)
        .execution_options(populate_existing=True)
    )


def _begin(key: EventKey, payment: Payment, new: NewAttempt) -> tuple[PaymentAttempt, PaymentEvent]:
    """Change the payment's state for a new attempt, and return that with its event."""
    movement = new.movement
    attempt = PaymentAttempt(
        kind=_KINDS[payment.capture_method],
        claimed_from=payment.status,
        provider=new.provider,
        amount_minor=payment.amount_minor,
        form_key=new.form_key,
        payment_method=new.payment_method,
        card_fingerprint=new.card_fingerprint,
        card_bin=new.card_bin,
        card_last4=new.card_last4,
        return_token=new.return_token,
    )
    write_down(attempt, payment, movement, MovementState.ASSESSING)
    change_status(payment, PaymentStatus.PROCESSING)
    payment.payable_until = payment.expires_at
    payment.receipt_email = new.receipt_email or payment.receipt_email
    payment.receipt_locale = new.receipt_locale or payment.receipt_locale
    data = {"attempt": movement.public_id, "card_last4": new.card_last4}
    event = next_event(key, payment, "payment.processing", movement.started_at, data, actor=movement.actor)
    return attempt, event


def _attempt_of_form(session: Session, payment: Payment, form_key: str | None) -> PaymentAttempt | None:
    if form_key is None:
        return None
    return session.scalar(
        select(PaymentAttempt)
        .where(PaymentAttempt.payment_id == payment.id, PaymentAttempt.form_key == form_key)
        .execution_options(populate_existing=True)
    )


def _attempt_meanwhile(
    session: Session, payment: Payment, new: NewAttempt, waited: Waited | None
) -> PaymentAttempt | None:
    """Return the last try of the same card since we began to wait."""
    if waited is None:
        return None
    return session.scalar(
        select(PaymentAttempt)
        .where(
            PaymentAttempt.payment_id == payment.id,
            PaymentAttempt.id >= waited.since,
            PaymentAttempt.card_fingerprint == new.card_fingerprint,
            PaymentAttempt.kind != AttemptKind.REVERSAL,
        )
        .order_by(PaymentAttempt.id.desc())
        .limit(1)
        .execution_options(populate_existing=True)
    )


def store_new_payment(session: Session, key: EventKey, payment: Payment, *, actor: str) -> None:
    event = creation_of(key, payment, actor=actor)
    session.add(payment)
    session.flush()
    event.payment_id = payment.id
    store_event(session, event)


def creation_of(key: EventKey, payment: Payment, *, actor: str) -> PaymentEvent:
    """Return the first event of a payment that is not stored yet; it seals the first head."""
    data = {
        "order_id": payment.order_id,
        "amount_minor": payment.amount_minor,
        "currency": payment.currency,
    }
    return next_event(key, payment, "payment.created", payment.created_at, data, actor=actor)
