"""The payment page: the same use case as the JSON, as HTML with the same status codes.

One page for all payments; who shows it says by which reference a payment is found.
"""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from flask import Flask, Request, Response, request
from service_kit.clock import utc_now
from service_kit.db.database import CommitOutcomeUnknown, DatabaseUnavailable
from service_kit.process.config import Profile
from service_kit.web.pages import Language, choose_language
from service_kit.web.problems import CONTENT_TYPE as PROBLEM_CONTENT_TYPE

from payment_service.commands.payments.process_payment import process_payment
from payment_service.commands.payments.return_from_bank import return_from_bank
from payment_service.controllers.page_of_payment import (
    form_after,
    page_of,
    page_of_result,
    page_of_return,
    summary_of,
)
from payment_service.controllers.request import current_dependencies, trusted_client_ip
from payment_service.domain.payments.events import PAYER
from payment_service.domain.payments.locks import MovementReference
from payment_service.domain.payments.references import PaymentOfAttempt, PaymentReference
from payment_service.domain.payments.transitions import MovementKind
from payment_service.errors import (
    ChargeRefused,
    PaymentBusy,
    PaymentClosed,
    PaymentNotFound,
    ProcessingUnavailable,
)
from payment_service.pages.form import OTHER_CARD, Field, RefusedForm, SubmittedForm, read_form
from payment_service.pages.page_models import (
    no_such_payment_page,
    not_charged_page,
    problem_page,
    standing_page,
    stuck,
)
from payment_service.pages.render import TEMPLATES, Page, render_page
from payment_service.problems import RETRY_AFTER_S
from payment_service.processing.abandonment import abandon_attempt
from payment_service.processing.charge import CardPayment
from payment_service.queries.payments import (
    PaymentWithContext,
    get_payment_with_context,
    get_returned_attempt,
)
from payment_service.refusals import BEING_PROCESSED, STANDINGS, refusal_of
from payment_service.values.cards import is_card_number
from payment_service.values.statuses import PaymentStatus

FORM = "application/x-www-form-urlencoded"
FORM_TYPES = frozenset({FORM, "multipart/form-data"})
RETRY_LATER = frozenset({HTTPStatus.ACCEPTED, HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE})
FindReference = Callable[[str], PaymentReference]
LAB_PAGES = frozenset({"lab.show_page", "lab.process", "lab.show"})


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


def wants_page(given: Request, *, by_default: bool) -> bool:
    """Whether a GET asks for a page rather than for JSON; ``by_default`` where it does not say."""
    kinds = ["text/html", "application/json"]
    best = given.accept_mimetypes.best_match(kinds if by_default else kinds[::-1])
    return best == "text/html" or (best is None and by_default)


def show(find: FindReference, requested_id: str) -> Response:
    """Answer a GET of the link: the form, or the payment's state. It changes nothing."""
    return _answer(lambda: page_of(get_payment_with_context(find(requested_id))), requested_id, HTTPStatus.OK)


def submit(find: FindReference, requested_id: str) -> Response:
    """Answer a POST of the form, or of the button beside a challenge."""
    return _answer(lambda: _page_of_form(find(requested_id)), requested_id)


def show_returned(return_token: str) -> Response:
    """Answer a browser that comes back from its bank: the bank is asked, the return itself proves nothing."""

    def page() -> Page:
        attempt = get_returned_attempt(return_token)
        bank_waits = return_from_bank(attempt, current_dependencies(), actor=PAYER)
        found = get_payment_with_context(PaymentOfAttempt(attempt.payment_id))
        return page_of_return(found, attempt, bank_waits=bank_waits)

    return _answer(page, "checkout", HTTPStatus.OK, is_return=True)


def init_app(app: Flask) -> None:
    """Answer errors that arise before the page itself is reached (413, 405, 500) as a page too."""

    @app.after_request
    def problem_as_page(response: Response) -> Response:
        has_pages = request.blueprint == "checkout" or request.endpoint in LAB_PAGES
        is_page = wants_page(request, by_default=request.endpoint != "lab.show")
        asks_for_page = has_pages and (is_page if request.method == "GET" else is_form(request))
        if asks_for_page and response.mimetype == PROBLEM_CONTENT_TYPE:
            return respond(problem_page(HTTPStatus(response.status_code)))
        return response


def _answer(
    make: Callable[[], Page], requested_id: str, status: HTTPStatus | None = None, *, is_return: bool = False
) -> Response:
    """Answer with the page that ``make`` returns, or the one that says why there is none."""
    try:
        page = make()
    except PaymentNotFound:
        return respond(no_such_payment_page(requested_id))
    except (DatabaseUnavailable, CommitOutcomeUnknown):
        # Not "nothing was charged": the same form, or another, may have been charged before.
        return respond(problem_page(HTTPStatus.SERVICE_UNAVAILABLE))
    return respond(page, status, is_return=is_return)


def _page_of_form(reference: PaymentReference) -> Page:
    found = get_payment_with_context(reference)
    if OTHER_CARD in request.form:
        return _end_challenge(found, reference)
    form = read_form(request.form, now=utc_now(), is_acceptable_number=_is_acceptable_number)
    return page_of(found, form) if isinstance(form, RefusedForm) else _pay(found, reference, form)


def _end_challenge(found: PaymentWithContext, reference: PaymentReference) -> Page:
    """Let the payer use another card: the bank must first say that the one that waits is over.

    The button names its attempt: sent again by a reload, it does not end the challenge of a later card.
    """
    attempt = found.attempt
    is_meant = attempt is not None and attempt.public_id == request.form[OTHER_CARD]
    if attempt is not None and is_meant and found.payment.status == PaymentStatus.REQUIRES_ACTION:
        abandon_attempt(MovementReference.of(attempt), current_dependencies(), actor=PAYER)
        found = get_payment_with_context(reference)
    return stuck(page_of(found)) if is_meant else page_of(found)


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
        return standing_page(summary, BEING_PROCESSED)
    except PaymentClosed as closed:
        return standing_page(summary, STANDINGS[closed.status])
    except ChargeRefused as refused:
        refusal = refusal_of(MovementKind.CHARGE, refused.state)
        return not_charged_page(summary, form_after(form), refusal.status, refusal.payer)
    except ProcessingUnavailable:
        return not_charged_page(summary, form_after(form), HTTPStatus.SERVICE_UNAVAILABLE, "unavailable")
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
    headers: dict[str, Any] = TEMPLATES.headers(language)
    if status in RETRY_LATER:
        headers["Retry-After"] = RETRY_AFTER_S
    return Response(html, status, headers)
