"""The payment page: the same use case as the JSON, as HTML with the same status codes."""

import secrets
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from flask import Flask, Request, Response, request
from service_kit.clock import utc_now
from service_kit.config import Profile
from service_kit.database import CommitOutcomeUnknown, DatabaseUnavailable
from service_kit.problems import CONTENT_TYPE as PROBLEM_CONTENT_TYPE

from payment_service.commands.payments.process_payment import ProcessPayment, process_payment
from payment_service.controllers.client_address import trusted_client_ip
from payment_service.controllers.current import current_dependencies
from payment_service.controllers.path_ids import read_payment_id
from payment_service.domain.payments.actors import PAYER
from payment_service.domain.payments.references import LabPayment
from payment_service.domain.payments.standing import WAITS_FOR_SOMEBODY, Processed, ProcessingResult
from payment_service.errors import (
    ChargeNotSent,
    PaymentBusy,
    PaymentClosed,
    PaymentNotFound,
    ProcessingUnavailable,
)
from payment_service.pages.form import Field, RefusedForm, SubmittedForm, read_form
from payment_service.pages.languages import Language, choose_language
from payment_service.pages.page_models import (
    ClosedPage,
    ClosedReason,
    DeclinedPage,
    FormState,
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
from payment_service.queries.payments import PaymentWithContext, get_payment_with_context
from payment_service.values.card_rules import is_card_number
from payment_service.values.statuses import PaymentStatus

FORM = "application/x-www-form-urlencoded"
FORM_TYPES = frozenset({FORM, "multipart/form-data"})
RETRY_LATER = frozenset({HTTPStatus.ACCEPTED, HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE})
PAGE_ENDPOINTS = frozenset({"lab.show_page", "lab.process"})
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


def show(payment_id: str) -> Response:
    """Answer a GET of the link: the form, or how the payment stands. It changes nothing."""
    try:
        found = get_payment_with_context(read_payment_id(payment_id))
    except PaymentNotFound:
        return _respond(NoSuchPaymentPage(payment_id))
    return _respond(_page_of(found), HTTPStatus.OK)


def submit(payment_id: str) -> Response:
    """Answer a POST of the form."""
    try:
        found = get_payment_with_context(read_payment_id(payment_id))
        form = read_form(request.form, today=utc_now().date(), is_acceptable_number=_is_acceptable_number)
        if isinstance(form, RefusedForm):
            return _respond(_refused(found, form))
        return _respond(_pay(found, form))
    except PaymentNotFound:
        return _respond(NoSuchPaymentPage(payment_id))
    except (DatabaseUnavailable, CommitOutcomeUnknown):
        # Not "nothing was charged": the same form, or another, may have been charged before.
        return _respond(ProblemPage(HTTPStatus.SERVICE_UNAVAILABLE))


def init_app(app: Flask) -> None:
    """Answer errors that arise before the page itself is reached (413, 405, 500) as a page too."""

    @app.after_request
    def problem_as_page(response: Response) -> Response:
        wants_page = request.endpoint in PAGE_ENDPOINTS and (request.method == "GET" or is_form(request))
        if wants_page and response.mimetype == PROBLEM_CONTENT_TYPE:
            return _respond(ProblemPage(HTTPStatus(response.status_code)))
        return response


def _pay(found: PaymentWithContext, form: SubmittedForm) -> Page:
    dependencies = current_dependencies()
    command = ProcessPayment(
        reference=LabPayment(found.payment.id),
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


def _pending(summary: PaymentSummary, _processed: Processed, _form: SubmittedForm) -> Page:
    return PendingPage(summary, PendingReason.UNKNOWN)


_RESULT_PAGES: Mapping[ProcessingResult, Callable[[PaymentSummary, Processed, SubmittedForm], Page]] = {
    ProcessingResult.PAID: _paid,
    ProcessingResult.DECLINED: _declined,
    ProcessingResult.PENDING: _pending,
}


def _refused(found: PaymentWithContext, form: RefusedForm) -> Page:
    page = _page_of(found)
    if isinstance(page, PayPage):
        return PayPage(page.payment, FormState(secrets.token_hex(16), form.kept, form.errors))
    return page


def _page_of(found: PaymentWithContext) -> Page:
    payment, attempt, summary = found.payment, found.attempt, _summary(found)
    if payment.is_paid and payment.paid_at is not None:
        receipt = Receipt(
            paid_at=payment.paid_at,
            card_last4=attempt.card_last4 if attempt else None,
            authorization_code=attempt.authorization_code if attempt else None,
        )
        return PaidPage(summary, receipt, is_repeat=True)
    if payment.status in _CLOSED:
        return ClosedPage(summary, _CLOSED[payment.status])
    if payment.status in WAITS_FOR_SOMEBODY:
        return PendingPage(summary, PendingReason.UNKNOWN)
    if payment.status == PaymentStatus.PROCESSING:
        is_fresh = attempt is not None and utc_now() < attempt.send_before
        return PendingPage(summary, PendingReason.PROCESSING if is_fresh else PendingReason.UNKNOWN)
    return PayPage(summary, _new_form())


def _summary(found: PaymentWithContext) -> PaymentSummary:
    payment = found.payment
    return PaymentSummary(str(payment.id), payment.order_id, payment.amount, found.merchant.name)


def _new_form() -> FormState:
    return FormState(form_key=secrets.token_hex(16))


def _form_after(form: SubmittedForm) -> FormState:
    """Return a new form that keeps the address for the receipt, and nothing of the card."""
    return FormState(secrets.token_hex(16), {Field.EMAIL: form.email} if form.email else {})


def _is_acceptable_number(digits: str) -> bool:
    return is_card_number(digits, without_luhn=current_dependencies().config.pans_without_luhn)


def _language() -> Language:
    return choose_language(request.headers.get("Accept-Language"))


def _respond(page: Page, status: HTTPStatus | None = None) -> Response:
    language = _language()
    is_lab = current_dependencies().config.profile is Profile.LAB
    html = render_page(page, language, is_lab=is_lab)
    status = status or status_of(page)
    headers: dict[str, Any] = page_headers(language)
    if status in RETRY_LATER:
        headers["Retry-After"] = RETRY_AFTER_S
    return Response(html, status, headers)
