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
from service_kit.config import Profile
from service_kit.database import CommitOutcomeUnknown, DatabaseUnavailable
from service_kit.problems import CONTENT_TYPE as PROBLEM_CONTENT_TYPE

from payment_service.commands.follow_ups.abandon_attempt import WaitingAttempt, abandon_attempt
from payment_service.commands.payments.ask_provider import ask_provider
from payment_service.commands.payments.process_payment import ProcessPayment, process_payment
from payment_service.controllers.client_address import trusted_client_ip
from payment_service.controllers.current import current_dependencies
from payment_service.domain.payments.actors import PAYER
from payment_service.domain.payments.references import PaymentOfAttempt, PaymentReference
from payment_service.domain.payments.standing import SUCCEEDED, Processed, ProcessingResult
from payment_service.domain.payments.transitions import PAYABLE
from payment_service.errors import (
    ChargeNotSent,
    PaymentBusy,
    PaymentClosed,
    PaymentNotFound,
    ProcessingUnavailable,
)
from payment_service.pages.form import OTHER_CARD, Field, RefusedForm, SubmittedForm, read_form
from payment_service.pages.languages import Language, choose_language
from payment_service.pages.page_models import (
    ClosedPage,
    ClosedReason,
    DeclinedPage,
    FormState,
    HandOverPage,
    NoSuchPaymentPage,
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
from payment_service.queries.payments import (
    PaymentWithContext,
    get_payment_with_context,
    get_returned_attempt,
)
from payment_service.values.card_rules import is_card_number
from payment_service.values.statuses import MovementState, PaymentStatus, Surface

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
# The bank may know more about these; nobody else does.
ASK_AFTER_RETURN = frozenset({MovementState.REQUIRES_ACTION, MovementState.UNKNOWN})
_CLOSED: Mapping[str, ClosedReason] = {
    PaymentStatus.CANCELLED: ClosedReason.CANCELLED,
    PaymentStatus.EXPIRED: ClosedReason.EXPIRED,
}


def described_pages(**statuses: str) -> dict[str, Any]:
    """Return how a description shows answers that are pages: `described_pages(_200="The form", …)`."""
    return {
        status.removeprefix("_"): {"description": meaning, "content": {"text/html": {}}}
        for status, meaning in statuses.items()
    }


def described_form() -> dict[str, Any]:
    """Return how a description shows the form that the page sends."""
    properties = {name.value: {"type": "string"} for name in Field}
    return {"content": {FORM: {"schema": {"type": "object", "properties": properties}}}}


def is_form(given: Request) -> bool:
    """Whether a browser's form was sent."""
    return given.mimetype in FORM_TYPES


def show(reference: PaymentReference, asked_for: str) -> Response:
    """Answer a GET of the link: the form, or how the payment stands. It changes nothing."""
    try:
        found = get_payment_with_context(reference)
    except PaymentNotFound:
        return respond(NoSuchPaymentPage(asked_for))
    return respond(_page_of(found, _new_form()), HTTPStatus.OK)


def submit(reference: PaymentReference, asked_for: str) -> Response:
    """Answer a POST of the form."""
    try:
        found = get_payment_with_context(reference)
        if OTHER_CARD in request.form:
            return respond(_end_challenge(found, reference), HTTPStatus.OK)
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
        if attempt.state in ASK_AFTER_RETURN:
            dependencies = current_dependencies()
            ask_provider(attempt, dependencies, within_s=dependencies.config.limits.ask_s, actor=PAYER)
        found = get_payment_with_context(PaymentOfAttempt(attempt.payment_id))
    except PaymentNotFound:
        return respond(NoSuchPaymentPage("checkout"))
    except (DatabaseUnavailable, CommitOutcomeUnknown):
        return respond(ProblemPage(HTTPStatus.SERVICE_UNAVAILABLE))
    page = _page_of(found, None)
    is_own = found.attempt is not None and found.attempt.id == attempt.id
    if isinstance(page, PaidPage) and is_own:
        page = replace(page, is_repeat=False)
    return respond(page, HTTPStatus.OK)


def init_app(app: Flask) -> None:
    """Answer errors that arise before the page itself is reached (413, 405, 500) as a page too."""

    @app.after_request
    def problem_as_page(response: Response) -> Response:
        wants_page = request.endpoint in PAGE_ENDPOINTS and (request.method == "GET" or is_form(request))
        if wants_page and response.mimetype == PROBLEM_CONTENT_TYPE:
            return respond(ProblemPage(HTTPStatus(response.status_code)))
        return response


def _end_challenge(found: PaymentWithContext, reference: PaymentReference) -> Page:
    """Let the payer use another card: the bank must first say that the one that waits is over."""
    attempt = found.attempt
    if attempt is not None and found.payment.status == PaymentStatus.REQUIRES_ACTION:
        abandon_attempt(WaitingAttempt.of(attempt), current_dependencies(), actor=PAYER)
    return _page_of(get_payment_with_context(reference), _new_form())


def _pay(found: PaymentWithContext, reference: PaymentReference, form: SubmittedForm) -> Page:
    dependencies = current_dependencies()
    command = ProcessPayment(
        reference=reference,
        actor=PAYER,
        card_number=form.card.number,
        card_exp_month=form.card.exp_month,
        card_exp_year=form.card.exp_year,
        card_cvv=form.card.cvv,
        client_ip=trusted_client_ip(request, dependencies.config.trusted_proxies),
        form_key=form.form_key,
        receipt_email=form.email,
        receipt_locale=_language().value,
    )
    summary = _summary(found)
    try:
        processed = process_payment(command, dependencies)
    except PaymentBusy:
        return PendingPage(summary, PendingReason.PROCESSING)
    except PaymentClosed as closed:
        return ClosedPage(summary, _CLOSED[closed.status])
    except ChargeNotSent:
        return NotSentPage(summary, _form_after(form))
    except ProcessingUnavailable:
        return UnavailablePage(summary, _form_after(form))
    return _RESULT_PAGES[processed.result](summary, processed, form)


def _paid(summary: PaymentSummary, processed: Processed, form: SubmittedForm) -> Page:
    receipt = Receipt(
        paid_at=processed.paid_at or utc_now(),
        card_last4=processed.card_last4,
        authorization_code=processed.authorization_code,
        # Only whoever paid is told where the receipt goes: it may be somebody else's address.
        receipt_email=form.email if processed.is_own else None,
    )
    return PaidPage(summary, receipt, is_repeat=not processed.is_own)


def _declined(summary: PaymentSummary, processed: Processed, form: SubmittedForm) -> Page:
    return DeclinedPage(summary, _form_after(form), processed.decline_code)


def _pending(summary: PaymentSummary, processed: Processed, _form: SubmittedForm) -> Page:
    if processed.next_action_url is not None:
        return HandOverPage(summary, processed.next_action_url)
    is_held = processed.status == PaymentStatus.IN_REVIEW
    return PendingPage(summary, PendingReason.REVIEW if is_held else PendingReason.UNKNOWN)


_RESULT_PAGES: Mapping[ProcessingResult, Callable[[PaymentSummary, Processed, SubmittedForm], Page]] = {
    ProcessingResult.PAID: _paid,
    ProcessingResult.DECLINED: _declined,
    ProcessingResult.PENDING: _pending,
}


def _refused(found: PaymentWithContext, form: RefusedForm) -> Page:
    return _page_of(found, FormState(secrets.token_hex(16), form.kept, form.errors))


def _page_of(found: PaymentWithContext, form: FormState | None) -> Page:  # noqa: PLR0911 - a table of states
    """Return how the payment stands; without a ``form`` a link leads to the page that has one."""
    payment, attempt, summary = found.payment, found.attempt, _summary(found)
    if payment.status in SUCCEEDED:
        receipt = Receipt(
            paid_at=payment.paid_at or (attempt.ended_at if attempt else None) or payment.created_at,
            card_last4=attempt.card_last4 if attempt else None,
            authorization_code=attempt.authorization_code if attempt else None,
        )
        return PaidPage(summary, receipt, is_repeat=True)
    if payment.status in _CLOSED:
        return ClosedPage(summary, _CLOSED[payment.status])
    if payment.status == PaymentStatus.REQUIRES_ACTION and attempt is not None and attempt.next_action_url:
        return HandOverPage(summary, attempt.next_action_url)
    if payment.status == PaymentStatus.IN_REVIEW:
        return PendingPage(summary, PendingReason.REVIEW)
    if payment.status not in PAYABLE:
        is_fresh = attempt is not None and utc_now() < attempt.send_before
        return PendingPage(summary, PendingReason.PROCESSING if is_fresh else PendingReason.UNKNOWN)
    if form is None:
        return DeclinedPage(summary, None, attempt.decline_code if attempt else None)
    return PayPage(summary, form)


def _summary(found: PaymentWithContext) -> PaymentSummary:
    payment, base_url = found.payment, current_dependencies().config.public_base_url
    is_lab = payment.surface == Surface.LAB
    path = f"payments-api/payments/process/{payment.id}" if is_lab else f"checkout/{payment.checkout_token}"
    return PaymentSummary(
        payment_id=str(payment.id) if is_lab else payment.public_id,
        order_id=payment.order_id,
        amount=payment.amount,
        merchant_name=found.merchant.name,
        description=payment.description,
        page_url=f"{base_url}/{path}",
        return_url=payment.return_url,
    )


def _new_form() -> FormState:
    return FormState(form_key=secrets.token_hex(16))


def _form_after(form: SubmittedForm) -> FormState:
    """Return a new form that keeps the address for the receipt, and nothing of the card."""
    return FormState(secrets.token_hex(16), {Field.EMAIL: form.email} if form.email else {})


def _is_acceptable_number(digits: str) -> bool:
    return is_card_number(digits, without_luhn=current_dependencies().config.pans_without_luhn)


def _language() -> Language:
    return choose_language(request.headers.get("Accept-Language"))


def respond(page: Page, status: HTTPStatus | None = None) -> Response:
    """Return the page in the browser's language; without a ``status`` with the one of a submitted form."""
    language = _language()
    is_lab = current_dependencies().config.profile is Profile.LAB
    html = render_page(page, language, is_lab=is_lab)
    status = status or status_of(page)
    headers: dict[str, Any] = page_headers(language)
    if status in RETRY_LATER:
        headers["Retry-After"] = RETRY_AFTER_S
    return Response(html, status, headers)
