"""The payment page: the same use case as the JSON, as HTML with the same status codes.

One page for all payments; who shows it says by which reference a payment is found.
"""

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
from payment_service.controllers.page_of_payment import (
    CLOSED,
    form_after,
    page_of,
    page_of_refused_form,
    page_of_result,
    page_of_return,
    summary_of,
)
from payment_service.controllers.request import current_dependencies, trusted_client_ip
from payment_service.domain.payments.events import PAYER
from payment_service.domain.payments.locks import MovementReference
from payment_service.domain.payments.references import PaymentOfAttempt, PaymentReference
from payment_service.errors import (
    ChargeAbandoned,
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
    HandOverPage,
    NoSuchPaymentPage,
    NotSentPage,
    PendingPage,
    PendingReason,
    ProblemPage,
    UnavailablePage,
)
from payment_service.pages.render import Page, page_headers, render_page
from payment_service.problems import RETRY_AFTER_S
from payment_service.processing.abandonment import abandon_attempt
from payment_service.processing.charge import CardPayment
from payment_service.queries.payments import (
    PaymentWithContext,
    get_payment_with_context,
    get_returned_attempt,
)
from payment_service.values.cards import is_card_number
from payment_service.values.statuses import PaymentStatus

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


def show(reference: PaymentReference, requested_id: str) -> Response:
    """Answer a GET of the link: the form, or the payment's state. It changes nothing."""
    try:
        found = get_payment_with_context(reference)
    except PaymentNotFound:
        return respond(NoSuchPaymentPage(requested_id))
    return respond(page_of(found), HTTPStatus.OK)


def submit(reference: PaymentReference, requested_id: str) -> Response:
    """Answer a POST of the form, or of the button beside a challenge."""
    try:
        found = get_payment_with_context(reference)
        if OTHER_CARD in request.form:
            return respond(_end_challenge(found, reference))
        form = read_form(request.form, today=utc_now().date(), is_acceptable_number=_is_acceptable_number)
        if isinstance(form, RefusedForm):
            return respond(page_of_refused_form(found, form))
        return respond(_pay(found, reference, form))
    except PaymentNotFound:
        return respond(NoSuchPaymentPage(requested_id))
    except (DatabaseUnavailable, CommitOutcomeUnknown):
        # Not "nothing was charged": the same form, or another, may have been charged before.
        return respond(ProblemPage(HTTPStatus.SERVICE_UNAVAILABLE))


def show_returned(return_token: str) -> Response:
    """Answer a browser that comes back from its bank: the bank is asked, the return itself proves nothing."""
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
        result = process_payment(reference, paid_with, dependencies)
    except PaymentBusy:
        return PendingPage(summary, PendingReason.PROCESSING)
    except PaymentClosed as closed:
        return ClosedPage(summary, CLOSED[closed.status])
    except ChargeNotSent:
        return NotSentPage(summary, form_after(form))
    except ChargeAbandoned:
        return NotSentPage(summary, form_after(form), is_abandoned=True)
    except ProcessingUnavailable:
        return UnavailablePage(summary, form_after(form))
    return page_of_result(summary, result, form)


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
    status = status or page.status
    headers: dict[str, Any] = page_headers(language)
    if status in RETRY_LATER:
        headers["Retry-After"] = RETRY_AFTER_S
    return Response(html, status, headers)
