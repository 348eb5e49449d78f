"""What a provider said about a sale or an authorisation, applied to the attempt and to its payment."""

from collections.abc import Mapping
from datetime import datetime

import structlog
from sqlalchemy.orm import Session

from payment_service.domain.books.postings import post_capture
from payment_service.domain.messages import announce_paid
from payment_service.domain.payments.transitions import change_attempt_state, change_status
from payment_service.domain.settlement.context import Scene
from payment_service.domain.settlement.reversals import give_back
from payment_service.models.movement import Capture, PaymentAttempt
from payment_service.models.payment import Payment
from payment_service.providers.port import Outcome, ProviderResult
from payment_service.values.statuses import AttemptKind, MovementState, PaymentStatus

log = structlog.get_logger(__name__)

NO_NEWS = frozenset({Outcome.PENDING, Outcome.NOT_FOUND})
SURELY_NOT_CHARGED: Mapping[Outcome, MovementState] = {
    Outcome.NOT_SENT: MovementState.NOT_SENT,
    Outcome.ABANDONED: MovementState.ABANDONED,
}
FINAL_STATES: Mapping[Outcome, MovementState] = {
    Outcome.APPROVED: MovementState.APPROVED,
    Outcome.DECLINED: MovementState.DECLINED,
    **SURELY_NOT_CHARGED,
}
MAY_HAVE_ARRIVED = frozenset({MovementState.UNKNOWN, MovementState.REQUIRES_ACTION})
# The payment waits for this very attempt; in any other state an approval comes too late.
WAITING = frozenset({PaymentStatus.PROCESSING, PaymentStatus.REQUIRES_ACTION})


def apply_to_charge(scene: Scene, result: ProviderResult) -> None:
    """Apply the result to an open attempt."""
    attempt, payment, outcome = scene.attempt, scene.payment, result.outcome
    attempt.last_error = result.detail and result.detail[:255]
    _note_authentication(scene, result)
    if outcome in NO_NEWS or (outcome is Outcome.NOT_SENT and attempt.state in MAY_HAVE_ARRIVED):
        _stay_unknown(scene)
    elif outcome is Outcome.REQUIRES_ACTION:
        _wait_for_cardholder(scene, result)
    elif outcome is Outcome.APPROVED and result.amount not in {None, attempt.amount}:
        note_other_amount(scene, result)
    elif outcome is Outcome.APPROVED and payment.status in WAITING:
        _succeed(scene, result)
    elif outcome is Outcome.APPROVED:
        scene.end(MovementState.APPROVED)
        give_back(scene)
    else:
        scene.end(FINAL_STATES[outcome])
        attempt.decline_code = result.decline_code if outcome is Outcome.DECLINED else None
        if payment.status in WAITING:
            release(scene, outcome)


def release(scene: Scene, outcome: Outcome) -> None:
    """Give the payment back to whoever wants to pay it: nothing was charged."""
    payment = scene.payment
    payment.expires_at = payment.payable_until
    if outcome not in SURELY_NOT_CHARGED:
        change_status(payment, PaymentStatus.FAILED)
        scene.record("payment.failed")
        return
    if payment.status == PaymentStatus.REQUIRES_ACTION:
        change_status(payment, PaymentStatus.PROCESSING)
    change_status(payment, PaymentStatus(scene.attempt.claimed_from))
    scene.record("payment.released")


def note_other_amount(scene: Scene, result: ProviderResult) -> None:
    """Say loudly that the provider moved another amount; a person must look, nothing changes by itself."""
    said = result.amount
    log.error("amount_differs", payment=scene.payment.public_id, attempt=scene.attempt.public_id)
    scene.record(
        "movement.amount_differs",
        said_amount_minor=said.amount_minor if said else None,
        said_currency=said.currency if said else None,
    )
    scene.keep_asking()


def _stay_unknown(scene: Scene) -> None:
    """After one unknown try a movement stays unknown, whatever a later try met."""
    if scene.attempt.state == MovementState.HELD:
        return
    if scene.attempt.state == MovementState.SENDING:
        change_attempt_state(scene.attempt, MovementState.UNKNOWN)
    scene.keep_asking()


def _wait_for_cardholder(scene: Scene, result: ProviderResult) -> None:
    attempt, payment = scene.attempt, scene.payment
    attempt.next_action_url = result.redirect_url or attempt.next_action_url
    scene.keep_asking()
    if attempt.state == MovementState.REQUIRES_ACTION:
        return
    change_attempt_state(attempt, MovementState.REQUIRES_ACTION)
    if payment.status == PaymentStatus.PROCESSING:
        change_status(payment, PaymentStatus.REQUIRES_ACTION)
        payment.expires_at = scene.now + scene.rules.lifetimes.requires_action
        scene.record("payment.requires_action")


def _note_authentication(scene: Scene, result: ProviderResult) -> None:
    if result.authentication is not None:
        scene.attempt.three_ds_status = result.authentication.status
        scene.attempt.three_ds_eci = result.authentication.eci
        scene.attempt.liability = result.authentication.liability


def _succeed(scene: Scene, result: ProviderResult) -> None:
    attempt, payment = scene.attempt, scene.payment
    scene.end(MovementState.APPROVED)
    attempt.authorization_code = result.authorization_code
    if payment.status == PaymentStatus.REQUIRES_ACTION:
        change_status(payment, PaymentStatus.PROCESSING)
    if attempt.kind == AttemptKind.AUTHORIZATION:
        change_status(payment, PaymentStatus.AUTHORIZED)
        payment.authorized_minor = attempt.amount_minor
        payment.expires_at = scene.now + scene.rules.lifetimes.hold
        scene.record("payment.authorized")
    else:
        _complete(scene)


def _complete(scene: Scene) -> None:
    payment = scene.payment
    change_status(payment, PaymentStatus.COMPLETED)
    payment.paid_at = scene.now
    payment.expires_at = None
    capture = record_sale_capture(scene.session, payment, scene.attempt, scene.now)
    event = scene.record("payment.completed", capture=capture.public_id)
    announce_paid(scene.session, scene.merchant, payment, scene.attempt, event)


def capture_id_of_sale(attempt_id: str) -> str:
    """Return the public id of the capture that belongs to a sale's attempt."""
    return f"cap_{attempt_id.removeprefix('att_')}"


def record_sale_capture(session: Session, payment: Payment, attempt: PaymentAttempt, at: datetime) -> Capture:
    """Write the capture of an approved sale, the payment's sums and the posting; its lock is held."""
    capture = Capture(
        public_id=capture_id_of_sale(attempt.public_id),
        merchant_id=payment.merchant_id,
        payment_id=payment.id,
        attempt_id=attempt.id,
        state=MovementState.APPROVED,
        provider=attempt.provider,
        amount_minor=attempt.amount_minor,
        currency=attempt.currency,
        is_final=True,
        started_at=attempt.started_at,
        send_before=attempt.send_before,
        ended_at=at,
    )
    session.add(capture)
    payment.authorized_minor = attempt.amount_minor
    payment.captured_minor = attempt.amount_minor
    post_capture(session, payment, capture, at)
    return capture
