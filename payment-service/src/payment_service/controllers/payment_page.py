"""The payment page: the same use case as the JSON, as HTML with the same status codes.

One page for all payments; who shows it says by which reference a payment is found.
"""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import replace
from http import HTTPStatus
from typing import Any

from flask import Flask, Request, Response, request
from service_kit.clock import utc_now
from service_kit.db.database import CommitOutcomeUnknown, DatabaseUnavailable
from service_kit.process.config import Profile
from service_kit.web.problems import CONTENT_TYPE as PROBLEM_CONTENT_TYPE

from payment_service.commands.payments.process_payment import process_payment
from payment_service.commands.payments.return_from_bank import return_from_bank
from payment_service.controllers.request import current_dependencies, trusted_client_ip
from payment_service.domain.payments.events import PAYER
from payment_service.domain.payments.locks import MovementReference
from payment_service.domain.payments.references import PaymentOfAttempt, PaymentReference
from payment_service.domain.payments.results import REFUSED, SUCCEEDED, PaymentResult, ProcessingResult
from payment_service.domain.payments.transitions import HOLDING, PAYABLE
from payment_service.errors import (
    ChargeAbandoned,
    ChargeNotSent,
    PaymentBusy,
    PaymentClosed,
    PaymentNotFound,
    ProcessingUnavailable,
)
from payment_service.models.movement import PaymentAttempt
from payment_service.pages.form import OTHER_CARD, Field, RefusedForm, SubmittedForm, read_form
from payment_service.pages.languages import Language, choose_language
from payment_service.pages.page_models import (
    ClosedPage,
    ClosedReason,
    DeclinedPage,
    FormState,
    HandOverPage,
    NoSuchPaymentPage,
    NotPaidPage,
    NotSentPage,
    Page,
    PaidPage,
    PaymentSummary,
    PayPage,
    PendingPage,
    PendingReason,
    ProblemPage,
    Receipt,
    UnavailablePage,
    status_of,
)
from payment_service.pages.render import page_headers, render_page
from payment_service.problems import RETRY_AFTER_S
from payment_service.processing.abandonment import abandon_attempt
from payment_service.processing.charge import CardPayment
from payment_service.queries.payments import (
    PaymentWithContext,
    get_payment_with_context,
    get_returned_attempt,
)
from payment_service.values.cards import is_card_number
from payment_service.values.statuses import PaymentStatus, Surface

FORM = "application/x-www-form-urlencoded"
FORM_TYPES = frozenset({FORM, "multipart/form-data"})
RETRY_LATER = frozenset({HTTPStatus.ACCEPTED, HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE})
PAGE_ENDPOINTS = frozenset(
    {
        "lab.show_page",
        "lab.process",
        "checkout.show_page",
        "checkout.submit_form",
        "checkout.show_return",
        "checkout.submit_return",
    }
)


def described_pages(**statuses: str) -> dict[str, Any]:
    """Return how a description shows answers that are pages: `described_pages(_200="The form", …)`."""
    return {
        status.removeprefix("_"): {"description": meaning, "content": {"text/html": {}}}
        for status, meaning in statuses.items()
    }


def described_form() -> dict[str, Any]:
    properties = {name.value: {"type": "string"} for name in Field}
    return {"content": {FORM: {"schema": {"type": "object", "properties": properties}}}}


def is_form(given: Request) -> bool:
    return given.mimetype in FORM_TYPES


def show(reference: PaymentReference, asked_for: str) -> Response:
    """Answer a GET of the link: the form, or how the payment stands. It changes nothing."""
    try:
        found = get_payment_with_context(reference)
    except PaymentNotFound:
        return respond(NoSuchPaymentPage(asked_for))
    return respond(page_of(found), HTTPStatus.OK)


def submit(reference: PaymentReference, asked_for: str) -> Response:
    """Answer a POST of the form, or of the button beside a challenge."""
    try:
        found = get_payment_with_context(reference)
        if OTHER_CARD in request.form:
            return respond(_end_challenge(found, reference))
        form = read_form(request.form, today=utc_now().date(), is_acceptable_number=_is_acceptable_number)
        if isinstance(form, RefusedForm):
            return respond(_refused(found, form))
        return respond(_pay(found, reference, form))
    except PaymentNotFound:
        return respond(NoSuchPaymentPage(asked_for))
    except (DatabaseUnavailable, CommitOutcomeUnknown):
        # Not "nothing was charged": the same form, or another, may have been charged before.
        return respond(ProblemPage(HTTPStatus.SERVICE_UNAVAILABLE))


def show_returned(return_token: str) -> Response:
    """Answer a browser that comes back from its bank: the bank is asked, the return itself says nothing."""
    try:
        attempt = get_returned_attempt(return_token)
        bank_waits = return_from_bank(attempt, current_dependencies(), actor=PAYER)
        found = get_payment_with_context(PaymentOfAttempt(attempt.payment_id))
    except PaymentNotFound:
        return respond(NoSuchPaymentPage("checkout"))
    except (DatabaseUnavailable, CommitOutcomeUnknown):
        return respond(ProblemPage(HTTPStatus.SERVICE_UNAVAILABLE))
    page = page_of_return(found, attempt, bank_waits=bank_waits)
    return respond(page, HTTPStatus.OK, is_return=True)


def init_app(app: Flask) -> None:
    """Answer errors that arise before the page itself is reached (413, 405, 500) as a page too."""

    @app.after_request
    def problem_as_page(response: Response) -> Response:
        wants_page = request.endpoint in PAGE_ENDPOINTS and (request.method == "GET" or is_form(request))
        if wants_page and response.mimetype == PROBLEM_CONTENT_TYPE:
            return respond(ProblemPage(HTTPStatus(response.status_code)))
        return response


def _end_challenge(found: PaymentWithContext, reference: PaymentReference) -> Page:
    """Let the payer use another card: the bank must first say that the one that waits is over.

    The button names its attempt: sent again by a reload, it does not end the challenge of a later card.
    """
    attempt = found.attempt
    is_meant = attempt is not None and attempt.public_id == request.form[OTHER_CARD]
    if attempt is not None and is_meant and found.payment.status == PaymentStatus.REQUIRES_ACTION:
        abandon_attempt(MovementReference.of(attempt), current_dependencies(), actor=PAYER)
        found = get_payment_with_context(reference)
    page = page_of(found)
    return replace(page, is_stuck=is_meant) if isinstance(page, HandOverPage) else page


def _pay(found: PaymentWithContext, reference: PaymentReference, form: SubmittedForm) -> Page:
    dependencies = current_dependencies()
    paid_with = CardPayment(
        card=form.card,
        actor=PAYER,
        client_ip=trusted_client_ip(request, dependencies.config.trusted_proxies),
        form_key=form.form_key,
        receipt_email=form.email,
        receipt_locale=_language().value,
    )
    summary = summary_of(found)
    try:
        processed = process_payment(reference, paid_with, dependencies)
    except PaymentBusy:
        return PendingPage(summary, PendingReason.PROCESSING)
    except PaymentClosed as closed:
        return ClosedPage(summary, CLOSED[closed.status])
    except ChargeNotSent:
        return NotSentPage(summary, _form_after(form))
    except ChargeAbandoned:
        return NotSentPage(summary, _form_after(form), is_abandoned=True)
    except ProcessingUnavailable:
        return UnavailablePage(summary, _form_after(form))
    return _RESULT_PAGES[processed.result](summary, processed, form)


def _paid(summary: PaymentSummary, processed: PaymentResult, form: SubmittedForm) -> Page:
    is_hold = processed.status in HOLDING
    receipt = Receipt(
        paid_at=processed.paid_at or utc_now(),
        amount=processed.amount if is_hold else processed.captured,
        is_hold=is_hold,
        card_last4=processed.card_last4,
        authorization_code=processed.authorization_code,
        # Only whoever paid is told where the receipt goes: it may be somebody else's address.
        receipt_email=form.email if processed.is_own else None,
    )
    return PaidPage(summary, receipt, is_repeat=not processed.is_own)


def _declined(summary: PaymentSummary, processed: PaymentResult, form: SubmittedForm) -> Page:
    return DeclinedPage(summary, _form_after(form), processed.decline_code)


def _pending(summary: PaymentSummary, processed: PaymentResult, _form: SubmittedForm) -> Page:
    if processed.next_action_url is not None and processed.attempt_id is not None:
        return HandOverPage(summary, processed.next_action_url, processed.attempt_id)
    is_held = processed.status == PaymentStatus.IN_REVIEW
    return PendingPage(summary, PendingReason.REVIEW if is_held else PendingReason.UNKNOWN)


_RESULT_PAGES: Mapping[ProcessingResult, Callable[[PaymentSummary, PaymentResult, SubmittedForm], Page]] = {
    ProcessingResult.PAID: _paid,
    ProcessingResult.DECLINED: _declined,
    ProcessingResult.PENDING: _pending,
}


def _refused(found: PaymentWithContext, form: RefusedForm) -> Page:
    page = page_of(found)
    if isinstance(page, PayPage):
        return replace(page, form=replace(page.form, kept=form.kept, errors=form.errors))
    return page


def _form_after(form: SubmittedForm) -> FormState:
    """Return a new form that keeps the address for the receipt, and nothing of the card."""
    return replace(new_form(), kept={Field.EMAIL: form.email} if form.email else {})


def _is_acceptable_number(digits: str) -> bool:
    return is_card_number(digits, without_luhn=current_dependencies().config.pans_without_luhn)


def _language() -> Language:
    return choose_language(request.headers.get("Accept-Language"))


def respond(page: Page, status: HTTPStatus | None = None, *, is_return: bool = False) -> Response:
    """Return the page in the browser's language; without a ``status`` with the one of a submitted form.

    ``is_return``: it is not shown at the payment's own address.
    """
    language = _language()
    is_lab = current_dependencies().config.profile is Profile.LAB
    html = render_page(page, language, is_lab=is_lab, is_return=is_return)
    status = status or status_of(page)
    headers: dict[str, Any] = page_headers(language)
    if status in RETRY_LATER:
        headers["Retry-After"] = RETRY_AFTER_S
    return Response(html, status, headers)


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
