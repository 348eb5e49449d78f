"""The pages, one function per kind, with their status and what they say; controllers call them."""

from collections.abc import Mapping
from dataclasses import replace
from http import HTTPStatus

from service_kit.web.pages import Language

from payment_service.pages.languages import CATALOGUE
from payment_service.pages.render import FormState, Link, Page, PaymentSummary, Receipt
from payment_service.values.statuses import TOO_MANY_CARDS

# What the shop writes into its payment link when it could not reach us while it made the order.
LINKS_WITHOUT_PAYMENT = frozenset({"0", "None"})
_WAIT, _CLOSED = ("pending.do", "pending.safe"), ("closed.do",)
# How a payment stands that nobody can pay now: with which status a form is answered, the tone, the advice.
_STANDINGS: Mapping[str, tuple[HTTPStatus, str, tuple[str, ...]]] = {
    "pending.unknown": (HTTPStatus.ACCEPTED, "wait", _WAIT),
    "pending.processing": (HTTPStatus.CONFLICT, "wait", _WAIT),
    "pending.review": (HTTPStatus.ACCEPTED, "wait", ("pending.review.again", "pending.review.do")),
    "closed.cancelled": (HTTPStatus.CONFLICT, "stop", _CLOSED),
    "closed.expired": (HTTPStatus.CONFLICT, "stop", _CLOSED),
}


def pay_page(payment: PaymentSummary, form: FormState) -> Page:
    """Return the form: fresh, or with what was wrong in it."""
    status = HTTPStatus.BAD_REQUEST if form.errors else HTTPStatus.OK
    return Page(status, "ask", "pay.heading", (), payment, form, "form.heading")


def declined_page(payment: PaymentSummary, form: FormState | None, decline_code: str | None = None) -> Page:
    """Say that the bank said no; the form is there for another card, with a new key.

    Without a form the payment's own page has it. ``decline_code`` None, or one we do not know, gets a
    general sentence.
    """
    if decline_code == TOO_MANY_CARDS:
        # Another one would be declined too.
        texts = (decline_key(decline_code), "declined.ask_shop")
        return Page(HTTPStatus.PAYMENT_REQUIRED, "stop", "declined.heading", texts, payment)
    texts = (decline_key(decline_code), "declined.no_charge")
    onward = None if form else Link("form.other_card", payment.page_url)
    status, again = HTTPStatus.PAYMENT_REQUIRED, "form.other_card"
    return Page(status, "stop", "declined.heading", texts, payment, form, again, onward=onward)


def decline_key(decline_code: str | None) -> str:
    """Return the name of the sentence; codes without one of their own get the general one."""
    key = f"decline.{decline_code}"
    return key if key in CATALOGUE else "decline.default"


def decline_sentence(decline_code: str | None, language: Language) -> str:
    """Return what a customer is told about a decline."""
    return CATALOGUE.say(language, decline_key(decline_code))


def not_charged_page(payment: PaymentSummary, form: FormState, status: HTTPStatus, name: str) -> Page:
    """Say why surely nothing was charged, by the ``name`` of the sentences; the form is there again."""
    return Page(status, "stop", f"{name}.heading", (f"{name}.text",), payment, form, "form.again")


def paid_page(payment: PaymentSummary, receipt: Receipt, *, is_repeat: bool = False) -> Page:
    """Say that it is paid; ``is_repeat`` when it was paid before this request, which charged nothing."""
    name = f"{'held' if receipt.is_hold else 'paid'}.{'repeat_' if is_repeat else ''}"
    refunded = ("paid.refunded",) if receipt.refunded else ()
    texts = (f"{name}text", *refunded, *(("paid.email",) if receipt.receipt_email else ()))
    return Page(HTTPStatus.OK, "done", f"{name}heading", texts, payment, receipt=receipt)


def standing_page(payment: PaymentSummary, name: str) -> Page:
    """Say how a payment stands that nobody can pay now: do not pay again but look again, or it is over."""
    status, tone, advice = _STANDINGS[name]
    link = "look_again" if tone == "wait" else None
    return Page(status, tone, f"{name}.heading", (f"{name}.text", *advice), payment, link=link)


def hand_over_page(payment: PaymentSummary, url: str, attempt_id: str) -> Page:
    """Say that the bank wants to see who pays: its cardholder goes on to ``url`` (3-D Secure).

    ``attempt_id`` is what "use another card" ends.
    """
    return Page(
        HTTPStatus.ACCEPTED,
        "ask",
        "hand_over.heading",
        ("hand_over.text", "hand_over.back"),
        payment,
        onward=Link("hand_over.go", url),
        other_card=attempt_id,
    )


def stuck(page: Page) -> Page:
    """Say on a hand-over that its attempt was to be ended, and that the bank did not confirm it."""
    return replace(page, texts=("hand_over.stuck",)) if page.other_card else page


def not_paid_page(payment: PaymentSummary) -> Page:
    """Say that the try is over and took nothing; the payment's own page has the form for another one."""
    onward = Link("open_again", payment.page_url)
    return Page(HTTPStatus.OK, "stop", "not_paid.heading", ("not_paid.text",), payment, onward=onward)


def no_such_payment_page(requested_id: str) -> Page:
    """Say that no payment has this id, the one in the address as it was typed."""
    if requested_id in LINKS_WITHOUT_PAYMENT:
        texts = ("no_payment.broken_text", "no_payment.broken_do")
        return Page(HTTPStatus.NOT_FOUND, "stop", "no_payment.broken_heading", texts)
    return Page(HTTPStatus.NOT_FOUND, "stop", "no_payment.heading", ("no_payment.text",))


def problem_page(status: HTTPStatus) -> Page:
    """Say that something else was refused or failed, by its status code; no payment is known."""
    is_explained = f"problem.{status.value}.heading" in CATALOGUE
    name = f"problem.{status.value}" if is_explained else "problem.default"
    invitation = "open_again" if is_explained else "look_again"
    link = None if status == HTTPStatus.NOT_FOUND else invitation
    return Page(status, "stop", f"{name}.heading", (f"{name}.text",), link=link)
