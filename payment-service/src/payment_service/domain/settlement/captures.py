"""Captures: taking all or part of what is held."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from payment_service.domain.books.postings import post_capture
from payment_service.domain.messages import announce_paid
from payment_service.domain.payments.movements import NewMovement
from payment_service.domain.payments.transitions import HOLDING, change_status
from payment_service.domain.settlement.context import SettlementContext, SettlementPolicy
from payment_service.domain.settlement.follow_ups import begin, has_open, successful_attempt
from payment_service.errors import AmountTooLarge, MovementOpen, WrongPaymentState
from payment_service.models.movement import Capture, Void
from payment_service.models.payment import Payment
from payment_service.providers.port import ProviderResult
from payment_service.values.statuses import OPEN_STATES, PaymentStatus


@dataclass(frozen=True, slots=True)
class CaptureRequest:
    """What a merchant wants to take, in minor units; without an amount everything that is left, for good."""

    amount_minor: int | None = None
    is_final: bool = False


def begin_capture(
    session: Session, policy: SettlementPolicy, payment: Payment, request: CaptureRequest, new: NewMovement
) -> Capture:
    """Write a capture down on a locked payment; its amount counts as taken from now on.

    Raises:
        WrongPaymentState: nothing is held.
        MovementOpen: the hold is being released, or a final capture would meet an open one.
        AmountTooLarge: it is more than what is left.
    """
    if payment.status not in HOLDING:
        raise WrongPaymentState("captured", payment.status)
    is_final = request.is_final or request.amount_minor is None
    _refuse_beside_open_movements(session, payment, is_final=is_final)
    capturable_minor = payment.capturable_minor
    amount_minor = capturable_minor if request.amount_minor is None else request.amount_minor
    if not 0 < amount_minor <= capturable_minor:
        raise AmountTooLarge("captured", capturable_minor)
    attempt = successful_attempt(session, payment)
    capture = Capture(
        attempt_id=attempt.id, provider=attempt.provider, amount_minor=amount_minor, is_final=is_final
    )
    payment.capturing_minor += amount_minor
    begin(session, policy, payment, capture, new)
    return capture


def _refuse_beside_open_movements(session: Session, payment: Payment, *, is_final: bool) -> None:
    if has_open(session, payment, Void):
        raise MovementOpen("What is held is being released.")
    if payment.capturing_minor == 0:
        return
    if is_final:
        raise MovementOpen("A capture is under way; a final one must wait for its outcome.")
    open_final = select(Capture.id).where(
        Capture.payment_id == payment.id, Capture.state.in_(OPEN_STATES), Capture.is_final
    )
    if session.scalar(open_final.limit(1)) is not None:
        raise MovementOpen("A final capture is under way.")


def captured(context: SettlementContext[Capture], _result: ProviderResult) -> None:
    """The money is the merchant's; a payment of which nothing more can be taken is complete."""
    payment, capture = context.payment, context.movement
    payment.capturing_minor -= capture.amount_minor
    payment.captured_minor += capture.amount_minor
    post_capture(context.session, payment, capture, context.now)
    if capture.is_final or payment.captured_minor == payment.authorized_minor:
        complete(context)
    else:
        change_status(payment, PaymentStatus.PARTIALLY_CAPTURED)
        context.record("payment.captured")


def not_captured(context: SettlementContext[Capture], _result: ProviderResult) -> None:
    """Nothing was taken: its part of the hold can be captured again."""
    context.payment.capturing_minor -= context.movement.amount_minor
    context.record("capture.failed")


def complete(context: SettlementContext[Capture] | SettlementContext[Void]) -> None:
    """Nothing more can be taken: the payment is paid, and everybody who waits for that is told."""
    payment = context.payment
    change_status(payment, PaymentStatus.COMPLETED)
    payment.paid_at = context.now
    payment.expires_at = None
    event = context.record("payment.completed", captured_minor=payment.captured_minor)
    announce_paid(context.session, payment, event)
