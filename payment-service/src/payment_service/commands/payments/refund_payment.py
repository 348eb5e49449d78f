"""Gives captured money back."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from payment_service.domain.idempotency_keys import IdempotentRequest, StoredAnswer
from payment_service.domain.payments.claims import lock_by_reference
from payment_service.domain.payments.references import MerchantPayment
from payment_service.domain.settlement.refunds import begin_refund
from payment_service.models.movement import PaymentAttempt, Refund
from payment_service.processing.dependencies import Dependencies
from payment_service.processing.follow_up import Begun, start_movement
from payment_service.processing.follow_up_once import Asked, Present, carry_out_once


@dataclass(frozen=True, slots=True)
class RefundPayment:
    """A merchant gives money back, in minor units; without an amount all that is left of it."""

    merchant_id: int
    payment_id: str
    amount_minor: int | None
    reason: str | None
    actor: str


def refund_payment(
    command: RefundPayment,
    request: IdempotentRequest,
    present: Present[Refund],
    dependencies: Dependencies,
) -> StoredAnswer:
    """Refund at most once, and answer with the refund as it stands then.

    Raises:
        PaymentNotFound, WrongPaymentState, AmountTooLarge: nothing was begun.
    """
    start = start_movement("re", command.actor, dependencies)
    reference = MerchantPayment(command.merchant_id, command.payment_id)

    def begin(session: Session) -> Begun[Refund]:
        payment = lock_by_reference(session, reference)
        refund = begin_refund(
            session, dependencies.settler.rules, payment, command.amount_minor, command.reason, start.new
        )
        return Begun(payment, session.get_one(PaymentAttempt, refund.attempt_id), refund)

    return carry_out_once(Asked(Refund, request, begin, present), start, dependencies)
