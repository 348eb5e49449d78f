"""Which page shows how a payment stands: read from its rows, changing nothing."""

import secrets
from collections.abc import Mapping

from service_kit.clock import utc_now

from payment_service.controllers.current import current_dependencies
from payment_service.domain.payments.standing import REFUSED, SUCCEEDED
from payment_service.domain.payments.transitions import HOLDING, PAYABLE
from payment_service.models.payments.payment_attempt import PaymentAttempt
from payment_service.pages.page_models import (
    ClosedPage,
    ClosedReason,
    DeclinedPage,
    FormState,
    HandOverPage,
    NotPaidPage,
    Page,
    PaidPage,
    PaymentSummary,
    PayPage,
    PendingPage,
    PendingReason,
    Receipt,
)
from payment_service.queries.payments import PaymentWithContext
from payment_service.values.statuses import PaymentStatus, Surface

CLOSED: Mapping[str, ClosedReason] = {
    PaymentStatus.CANCELLED: ClosedReason.CANCELLED,
    PaymentStatus.EXPIRED: ClosedReason.EXPIRED,
}


def page_of(found: PaymentWithContext) -> Page:
    """Return how the payment stands, on its own page: with the form while it can be paid."""
    if found.payment.status in PAYABLE:
        return PayPage(summary_of(found), new_form())
    return _page_without_form(found)


def page_of_return(found: PaymentWithContext, attempt: PaymentAttempt, *, bank_waits: bool) -> Page:
    """Return how the payment stands, to a browser that comes back from the bank of ``attempt``.

    ``bank_waits``: the bank has just said that it waits for the cardholder. What is stored may be older
    than what the cardholder did a moment ago, so without the bank's word nobody is sent there again.
    """
    last, summary = found.attempt, summary_of(found)
    is_own = last is not None and last.id == attempt.id
    if found.payment.status in PAYABLE:
        if last is not None and last.state in REFUSED:
            return DeclinedPage(summary, None, last.decline_code)
        return NotPaidPage(summary)
    if found.payment.status == PaymentStatus.REQUIRES_ACTION and is_own and not bank_waits:
        return PendingPage(summary, PendingReason.UNKNOWN)
    return _page_without_form(found, is_repeat=not is_own)


def summary_of(found: PaymentWithContext) -> PaymentSummary:
    """Return what is being paid, to whom, and where that is done."""
    payment, base_url = found.payment, current_dependencies().config.public_base_url
    is_lab = payment.surface == Surface.LAB
    path = f"payments-api/payments/process/{payment.id}" if is_lab else f"checkout/{payment.checkout_token}"
    return PaymentSummary(
        payment_id=str(payment.id) if is_lab else payment.public_id,
        order_id=payment.order_id,
        amount=payment.amount,
        merchant_name=found.merchant.name,
        page_url=f"{base_url}/{path}",
        description=payment.description,
        return_url=payment.return_url,
    )


def new_form() -> FormState:
    """Return an empty form with a key of its own."""
    return FormState(form_key=secrets.token_hex(16))


def _page_without_form(found: PaymentWithContext, *, is_repeat: bool = True) -> Page:
    payment, attempt, summary = found.payment, found.attempt, summary_of(found)
    if payment.status in SUCCEEDED:
        return PaidPage(summary, _receipt(found), is_repeat)
    if payment.status in CLOSED:
        return ClosedPage(summary, CLOSED[payment.status])
    if payment.status == PaymentStatus.REQUIRES_ACTION and attempt is not None and attempt.next_action_url:
        return HandOverPage(summary, attempt.next_action_url, attempt.public_id)
    if payment.status == PaymentStatus.IN_REVIEW:
        return PendingPage(summary, PendingReason.REVIEW)
    is_fresh = attempt is not None and utc_now() < attempt.send_before
    return PendingPage(summary, PendingReason.PROCESSING if is_fresh else PendingReason.UNKNOWN)


def _receipt(found: PaymentWithContext) -> Receipt:
    payment, attempt = found.payment, found.attempt
    is_hold = payment.status in HOLDING
    return Receipt(
        paid_at=payment.paid_at or (attempt.ended_at if attempt else None) or payment.created_at,
        amount=payment.amount if is_hold else payment.captured,
        is_hold=is_hold,
        card_last4=attempt.card_last4 if attempt else None,
        authorization_code=attempt.authorization_code if attempt else None,
    )
