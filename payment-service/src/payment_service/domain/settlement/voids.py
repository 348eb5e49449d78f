"""Voids: what is still held goes back to the cardholder, cancelled by somebody or in the course of time."""

from collections.abc import Mapping
from datetime import timedelta

import structlog
from sqlalchemy.orm import Session

from payment_service.domain.payments.movements import NewMovement
from payment_service.domain.payments.transitions import HOLDING, change_status
from payment_service.domain.settlement.captures import complete
from payment_service.domain.settlement.context import SettlementContext, SettlementPolicy
from payment_service.domain.settlement.follow_ups import begin, has_open, successful_attempt
from payment_service.errors import MovementOpen, WrongPaymentState
from payment_service.models.movement import Void
from payment_service.models.payment import Payment
from payment_service.providers.port import ProviderResult
from payment_service.values.statuses import MovementState, PaymentStatus, VoidPurpose

log = structlog.get_logger(__name__)

# How a provider refuses to release what it does not hold (any more).
NOTHING_IS_HELD = "wrong_state"
# A hold that could not be released is not tried again before that: one row for each try.
RETRY_EXPIRY_AFTER = timedelta(minutes=15)
CLOSED_AS: Mapping[VoidPurpose, PaymentStatus] = {
    VoidPurpose.CANCEL: PaymentStatus.CANCELLED,
    VoidPurpose.EXPIRY: PaymentStatus.EXPIRED,
}


def begin_void(
    session: Session,
    policy: SettlementPolicy,
    payment: Payment,
    purpose: VoidPurpose,
    reason: str | None,
    new: NewMovement,
) -> Void:
    """Write down, on a locked payment, that its hold is to be released; nothing can be captured meanwhile.

    Raises:
        WrongPaymentState: nothing is held.
        MovementOpen: a capture or another void is under way.
    """
    if payment.status not in HOLDING:
        raise WrongPaymentState("cancelled", payment.status)
    if payment.capturing_minor or has_open(session, payment, Void):
        raise MovementOpen("A capture or the release of what is held is under way.")
    attempt = successful_attempt(session, payment)
    void = Void(
        attempt_id=attempt.id,
        provider=attempt.provider,
        amount_minor=payment.capturable_minor,
        purpose=purpose,
        reason=reason,
    )
    begin(session, policy, payment, void, new)
    return void


def released(context: SettlementContext[Void], _result: ProviderResult) -> None:
    """Nothing is held any more: the payment is over, or complete with what was captured of it."""
    payment, purpose = context.payment, context.movement.purpose
    if payment.status == PaymentStatus.PARTIALLY_CAPTURED:
        complete(context)
        return
    change_status(payment, CLOSED_AS[purpose])
    payment.expires_at = None
    context.record(f"payment.{payment.status}")


def not_released(context: SettlementContext[Void], _result: ProviderResult) -> None:
    """It is held as before; or a capture that we believed had failed took it, and a person must look.

    Asking again would never end that: the hold is gone, and we must not say that the payment is.
    """
    payment, void = context.payment, context.movement
    is_gone = void.decline_code == NOTHING_IS_HELD
    if void.purpose == VoidPurpose.EXPIRY:
        payment.expires_at = None if is_gone else context.now + RETRY_EXPIRY_AFTER
    if is_gone:
        log.error(
            "hold_left_to_a_person",
            payment=payment.public_id,
            void=void.public_id,
            reason=void.last_error,
        )
    elif void.state == MovementState.DECLINED:
        log.error(
            "void_refused", payment=payment.public_id, void=void.public_id, decline_code=void.decline_code
        )
    context.record("void.failed")
