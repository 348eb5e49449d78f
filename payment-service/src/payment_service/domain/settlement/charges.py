"""What the end of a sale or an authorisation does to its payment."""

from datetime import datetime

from sqlalchemy.orm import Session

from payment_service.domain.books.postings import post_capture
from payment_service.domain.messages import announce_paid
from payment_service.domain.payments.transitions import change_state, change_status
from payment_service.domain.settlement.context import SettlementContext
from payment_service.domain.settlement.reversals import give_back
from payment_service.models.movement import Capture, PaymentAttempt
from payment_service.models.payment import Payment
from payment_service.providers.port import ProviderResult
from payment_service.values.statuses import AttemptKind, MovementState, PaymentStatus

Charge = SettlementContext[PaymentAttempt]
# The payment waits for this very attempt; in any other state an approval comes too late.
WAITING = frozenset({PaymentStatus.PROCESSING, PaymentStatus.REQUIRES_ACTION})


def approved(context: Charge, result: ProviderResult) -> None:
    """The money is held or taken; for a payment that no longer waits for it, it goes back."""
    attempt, payment = context.movement, context.payment
    if payment.status not in WAITING:
        give_back(context)
        return
    attempt.authorization_code = result.authorization_code
    if payment.status == PaymentStatus.REQUIRES_ACTION:
        change_status(payment, PaymentStatus.PROCESSING)
    if attempt.kind == AttemptKind.AUTHORIZATION:
        change_status(payment, PaymentStatus.AUTHORIZED)
        payment.authorized_minor = attempt.amount_minor
        payment.expires_at = context.now + context.policy.lifetimes.hold
        context.record("payment.authorized")
    else:
        _complete(context)


def not_charged(context: Charge, _result: ProviderResult) -> None:
    """Give the payment back to whoever wants to pay it, if it waits for this attempt."""
    if context.payment.status in WAITING:
        release(context)


def release(context: Charge) -> None:
    """Let the payment be paid again: declined or refused it has failed, otherwise it is as it was."""
    payment, attempt = context.payment, context.movement
    payment.expires_at = payment.payable_until
    if attempt.state in {MovementState.DECLINED, MovementState.FAILED}:
        change_status(payment, PaymentStatus.FAILED)
        context.record("payment.failed")
        return
    if payment.status == PaymentStatus.REQUIRES_ACTION:
        change_status(payment, PaymentStatus.PROCESSING)
    change_status(payment, attempt.claimed_from)
    context.record("payment.released")


def wait_for_cardholder(context: Charge, result: ProviderResult) -> None:
    """The bank wants to see the cardholder first (3-D Secure)."""
    attempt, payment = context.movement, context.payment
    attempt.next_action_url = result.redirect_url or attempt.next_action_url
    context.keep_inquiring()
    if attempt.state == MovementState.REQUIRES_ACTION:
        return
    change_state(attempt, MovementState.REQUIRES_ACTION)
    if payment.status == PaymentStatus.PROCESSING:
        change_status(payment, PaymentStatus.REQUIRES_ACTION)
        payment.expires_at = context.now + context.policy.lifetimes.requires_action
        context.record("payment.requires_action")


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


def _complete(context: Charge) -> None:
    payment = context.payment
    change_status(payment, PaymentStatus.COMPLETED)
    payment.paid_at = context.now
    payment.expires_at = None
    capture = record_sale_capture(context.session, payment, context.movement, context.now)
    event = context.record("payment.completed", capture=capture.public_id)
    announce_paid(context.session, payment, event)
