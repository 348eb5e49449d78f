"""Which page shows a payment, by its state or by what came of paying it."""

import secrets
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from service_kit.clock import utc_now
from service_kit.web import strict_json

from payment_service.controllers.request import current_dependencies
from payment_service.domain.payments.results import (
    REFUSED,
    SUCCEEDED,
    PaymentResult,
    ProcessingResult,
    describe,
)
from payment_service.domain.payments.transitions import HOLDING, PAYABLE
from payment_service.models.movement import PaymentAttempt
from payment_service.models.payment import Payment
from payment_service.pages.form import Field, RefusedForm, SubmittedForm
from payment_service.pages.page_models import (
    declined_page,
    hand_over_page,
    not_paid_page,
    paid_page,
    pay_page,
    standing_page,
)
from payment_service.pages.render import FormState, LineItem, Page, PaymentSummary, Receipt, Seller
from payment_service.queries.payments import PaymentWithContext
from payment_service.refusals import BEING_PROCESSED, OUTCOME_UNKNOWN, STANDINGS
from payment_service.values.money import Money
from payment_service.values.statuses import PaymentStatus, Surface


def page_of(found: PaymentWithContext, refused: RefusedForm | None = None) -> Page:
    """Return the payment's own page: with the form, or the refused one again, while it can be paid."""
    if found.payment.status not in PAYABLE:
        return _page_without_form(found)
    if refused is not None:
        return pay_page(summary_of(found), replace(new_form(), kept=refused.kept, errors=refused.errors))
    last = found.attempt
    if last is not None and last.state in REFUSED:
        return declined_page(summary_of(found), new_form(), last.decline_code)
    return pay_page(summary_of(found), new_form())


def page_of_return(found: PaymentWithContext, attempt: PaymentAttempt, *, bank_waits: bool) -> Page:
    """Return the page for a browser that comes back from the bank of ``attempt``.

    ``bank_waits``: the bank has just said that it waits for the cardholder. What is stored may be older
    than what the cardholder did a moment ago, so without the bank's confirmation nobody is sent there again.
    """
    last, summary = found.attempt, summary_of(found)
    is_own = last is not None and last.id == attempt.id
    if found.payment.status in PAYABLE:
        if last is not None and last.state in REFUSED:
            return declined_page(summary, None, last.decline_code)
        return not_paid_page(summary)
    if found.payment.status == PaymentStatus.REQUIRES_ACTION and is_own and not bank_waits:
        return standing_page(summary, OUTCOME_UNKNOWN)
    return _page_without_form(found, is_repeat=not is_own)


def page_of_result(summary: PaymentSummary, result: PaymentResult, form: SubmittedForm) -> Page:
    """Return the page that answers a form which was processed."""
    if result.result is ProcessingResult.DECLINED:
        return declined_page(summary, form_after(form), result.decline_code)
    if result.result is ProcessingResult.PENDING:
        return _page_of_pending(summary, result)
    # Only whoever paid is told where the receipt goes: it may be somebody else's address.
    receipt = replace(_receipt(result, utc_now()), receipt_email=form.email if result.is_own else None)
    return paid_page(summary, receipt, is_repeat=not result.is_own)


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
        seller=Seller(
            found.merchant.legal_name, tuple(found.merchant.address.splitlines()), found.merchant.tax_number
        ),
        line_items=_line_items(payment),
    )


def _line_items(payment: Payment) -> tuple[LineItem, ...]:
    details = strict_json.loads(payment.details.encode()) if payment.details else {}
    return tuple(
        LineItem(
            name=item["name"],
            quantity=item["quantity"],
            unit=Money(item["unit_amount"], payment.currency),
            tax=Money(item["tax_amount"], payment.currency) if item["tax_amount"] else None,
            tax_rate=None if item["tax_rate"] is None else Decimal(item["tax_rate"]),
        )
        for item in details.get("line_items", ())
    )


def new_form() -> FormState:
    return FormState(form_key=secrets.token_hex(16))


def form_after(form: SubmittedForm) -> FormState:
    """Return a new form that keeps the address for the receipt, and nothing of the card."""
    return replace(new_form(), kept={Field.EMAIL: form.email} if form.email else {})


def _page_without_form(found: PaymentWithContext, *, is_repeat: bool = True) -> Page:
    payment, attempt, summary = found.payment, found.attempt, summary_of(found)
    result = describe(payment, attempt)
    if payment.status in SUCCEEDED:
        ended_at = attempt.ended_at if attempt else None
        return paid_page(summary, _receipt(result, ended_at or payment.created_at), is_repeat=is_repeat)
    return _page_of_pending(summary, result, attempt)


def _page_of_pending(
    summary: PaymentSummary, result: PaymentResult, at_work: PaymentAttempt | None = None
) -> Page:
    """Return the page of a payment that nobody can pay now; somebody may still send ``at_work``."""
    if result.next_action_url is not None and result.attempt_id is not None:
        return hand_over_page(summary, result.next_action_url, result.attempt_id)
    name = STANDINGS.get(result.status, OUTCOME_UNKNOWN)
    may_be_sent = at_work is not None and utc_now() < at_work.send_before
    return standing_page(summary, OUTCOME_UNKNOWN if name == BEING_PROCESSED and not may_be_sent else name)


def _receipt(result: PaymentResult, paid_at: datetime) -> Receipt:
    """``paid_at`` counts while the payment itself does not say it: a hold is not paid yet."""
    is_hold = result.status in HOLDING
    given_back = result.refunded
    zone = current_dependencies().config.display_time_zone
    return Receipt(
        paid_at=(result.paid_at or paid_at).astimezone(zone),
        amount=result.amount if is_hold else result.captured,
        is_hold=is_hold,
        card_last4=result.card_last4,
        authorization_code=result.authorization_code,
        refunded=given_back if given_back.amount_minor else None,
    )
