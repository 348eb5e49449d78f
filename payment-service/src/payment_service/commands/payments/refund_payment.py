"""Gives captured money back."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from payment_service.domain.idempotency_keys import StoredAnswer
from payment_service.domain.payments.claims import lock_by_reference
from payment_service.domain.payments.references import MerchantPayment
from payment_service.domain.settlement.refunds import begin_refund
from payment_service.models.movement import Refund
from payment_service.processing.dependencies import Dependencies
from payment_service.processing.follow_up import carry_out_once
from payment_service.processing.idempotent import IdempotentOperation
from payment_service.processing.sending import start_movement


@dataclass(frozen=True, slots=True)
class RefundPayment:
    """A merchant gives money back, in minor units; without an amount all that is left of it."""

    merchant_id: int
    payment_id: str
    amount_minor: int | None
    reason: str | None


def refund_payment(
    command: RefundPayment, operation: IdempotentOperation, dependencies: Dependencies
) -> StoredAnswer:
    """Refund at most once, and answer with the refund as it stands then.

    Raises:
        PaymentNotFound, WrongPaymentState, AmountTooLarge: nothing was begun.
    """
    new = start_movement("re", operation.actor, dependencies)

    def begin(session: Session) -> Refund:
        payment = lock_by_reference(session, MerchantPayment(command.merchant_id, command.payment_id))
        return begin_refund(session, dependencies.policy, payment, command.amount_minor, command.reason, new)

    return carry_out_once(Refund, operation, begin, new, dependencies)
