"""Refunds: captured money that goes back; never more than was captured and is not disputed."""

from sqlalchemy.orm import Session

from payment_service.domain.books.postings import post_refund_asked, post_refund_done, post_refund_failed
from payment_service.domain.payments.movements import NewMovement
from payment_service.domain.settlement.context import SettlementContext, SettlementPolicy
from payment_service.domain.settlement.follow_ups import begin, successful_attempt
from payment_service.errors import AmountTooLarge, WrongPaymentState
from payment_service.models.movement import Refund
from payment_service.models.payment import Payment
from payment_service.providers.port import ProviderResult


def begin_refund(
    session: Session,
    policy: SettlementPolicy,
    payment: Payment,
    amount_minor: int | None,
    reason: str | None,
    new: NewMovement,
) -> Refund:
    """Write a refund down on a locked payment; its amount counts as given back from now on.

    Without an amount it is everything that can still be refunded.

    Raises:
        WrongPaymentState: nothing was captured.
        AmountTooLarge: it is more than what is left.
    """
    if payment.captured_minor == 0:
        raise WrongPaymentState("refunded", payment.status)
    refundable_minor = max(0, payment.refundable_minor)
    wanted_minor = refundable_minor if amount_minor is None else amount_minor
    if not 0 < wanted_minor <= refundable_minor:
        raise AmountTooLarge("refunded", refundable_minor)
    attempt = successful_attempt(session, payment)
    refund = Refund(
        attempt_id=attempt.id, provider=attempt.provider, amount_minor=wanted_minor, reason=reason
    )
    payment.refunding_minor += wanted_minor
    begin(session, policy, payment, refund, new)
    post_refund_asked(session, payment, refund, new.started_at)
    return refund


def refunded(context: SettlementContext[Refund], _result: ProviderResult) -> None:
    """The cardholder has it."""
    payment, refund = context.payment, context.movement
    payment.refunding_minor -= refund.amount_minor
    payment.refunded_minor += refund.amount_minor
    post_refund_done(context.session, payment, refund, context.now)
    context.record("refund.succeeded")


def not_refunded(context: SettlementContext[Refund], _result: ProviderResult) -> None:
    """The merchant keeps it: nothing went back."""
    payment, refund = context.payment, context.movement
    payment.refunding_minor -= refund.amount_minor
    post_refund_failed(context.session, payment, refund, context.now)
    context.record("refund.failed")
