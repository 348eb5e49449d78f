"""Turns a page value into HTML, and holds the headers that go with it."""

from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from http import HTTPStatus
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from payment_service.pages.form import OTHER_CARD, Field
from payment_service.pages.languages import Language, format_amount, format_moment, has_text, say
from payment_service.pages.page_models import (
    ClosedPage,
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
)

_templates = Environment(
    loader=PackageLoader("payment_service"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_STYLE: Final = _templates.get_template("payment_page.css").render()
_STYLE_HASH: Final = b64encode(sha256(_STYLE.encode()).digest()).decode()

CONTENT_SECURITY_POLICY: Final = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; img-src data:; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""Nothing is loaded, no script runs, and the form goes only to where the page came from."""

LAB_CARD: Final = {
    "number": "9999 9999 9999 9".replace(" ", "\N{NO-BREAK SPACE}"),
    "code": "123",
    "expiry": "01/30",
}
"""The documented test card, as the lab's form shows it."""


def render_page(page: Page, language: Language, *, is_lab: bool = False, is_return: bool = False) -> str:
    """Return ``page`` as an HTML document.

    ``is_lab`` adds the test card to the form. ``is_return``: it is not shown at the payment's own address.
    """
    view = _view_of(page, language)
    return _templates.get_template("page.html").render(
        view=view,
        language=language.value,
        style=Markup(_STYLE),  # noqa: S704 - our own file, inside <style>, where nothing may be escaped
        say=lambda key, **values: say(language, key, **values),
        amount=format_amount(view.payment.amount, language) if view.payment else None,
        paid_amount=format_amount(view.receipt.amount, language) if view.receipt else None,
        moment=lambda moment: format_moment(moment, language),
        lab_card=LAB_CARD if is_lab else None,
        fields=Field,
        other_card_field=OTHER_CARD,
        own_page=view.payment.page_url if view.payment and is_return else None,
    )


def decline_sentence(decline_code: str | None, language: Language) -> str:
    """Return what a customer is told about a decline; unknown and delicate codes get a general sentence."""
    return say(language, _decline_key(decline_code))


def page_headers(language: Language) -> dict[str, str]:
    """Return the headers of every page: nobody may keep it, frame it, or add anything to it."""
    return {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Language": language.value,
        "Content-Security-Policy": CONTENT_SECURITY_POLICY,
        "Cache-Control": "no-store",
        "Vary": "Accept-Language",
    }


@dataclass(frozen=True, slots=True)
class Link:
    text: str
    url: str


@dataclass(frozen=True, slots=True)
class _View:
    """What the template shows.

    ``tone`` is the colour and the sign: ask, done, wait or stop. ``link`` is the text of a link to this same
    address, ``onward`` leads to what comes next, ``back`` to the merchant. ``other_card`` is the attempt that
    the button "use another card" ends.
    """

    tone: str
    heading: str
    texts: tuple[str, ...] = ()
    payment: PaymentSummary | None = None
    form: FormState | None = None
    form_heading: str = ""
    receipt: Receipt | None = None
    link: str | None = None
    onward: Link | None = None
    other_card: str | None = None
    back: Link | None = None


def _view_of(page: Page, language: Language) -> _View:
    def words(key: str, **values: str) -> str:
        return say(language, key, **values)

    view: _View = _VIEWS[type(page)](page, words)
    if view.payment is None or view.payment.return_url is None or view.form or view.other_card:
        return view
    return replace(
        view, back=Link(words("back", merchant=view.payment.merchant_name), view.payment.return_url)
    )


_Words = Callable[..., str]


def _pay(page: PayPage, words: _Words) -> _View:
    return _View(
        "ask", words("pay.heading"), payment=page.payment, form=page.form, form_heading=words("form.heading")
    )


def _declined(page: DeclinedPage, words: _Words) -> _View:
    return _View(
        "stop",
        words("declined.heading"),
        (words(_decline_key(page.decline_code)), words("declined.no_charge")),
        page.payment,
        page.form,
        words("form.other_card"),
        onward=None if page.form else Link(words("form.other_card"), page.payment.page_url),
    )


def _not_sent(page: NotSentPage, words: _Words) -> _View:
    name = "abandoned" if page.is_abandoned else "not_sent"
    return _View(
        "stop",
        words(f"{name}.heading"),
        (words(f"{name}.text"),),
        page.payment,
        page.form,
        words("form.again"),
    )


def _unavailable(page: UnavailablePage, words: _Words) -> _View:
    return _View(
        "stop",
        words("unavailable.heading"),
        (words("unavailable.text"),),
        page.payment,
        page.form,
        words("form.again"),
        link=None if page.form else words("open_again"),
    )


def _paid(page: PaidPage, words: _Words) -> _View:
    name = "held" if page.receipt.is_hold else "paid"
    if page.is_repeat:
        heading, texts = words(f"{name}.repeat_heading"), [words(f"{name}.repeat_text")]
    else:
        heading = words(f"{name}.heading")
        texts = [words(f"{name}.text", merchant=page.payment.merchant_name)]
    if page.receipt.receipt_email:
        texts.append(words("paid.email", email=page.receipt.receipt_email))
    return _View("done", heading, tuple(texts), page.payment, receipt=page.receipt)


def _pending(page: PendingPage, words: _Words) -> _View:
    is_review = page.reason is PendingReason.REVIEW
    advice = ("pending.review.again", "pending.review.do") if is_review else ("pending.do", "pending.safe")
    return _View(
        "wait",
        words(f"pending.{page.reason}.heading"),
        (words(f"pending.{page.reason}.text"), *map(words, advice)),
        page.payment,
        link=words("look_again"),
    )


def _hand_over(page: HandOverPage, words: _Words) -> _View:
    back = words("hand_over.back", merchant=page.payment.merchant_name)
    return _View(
        "ask",
        words("hand_over.heading"),
        (words("hand_over.stuck"),) if page.is_stuck else (words("hand_over.text"), back),
        page.payment,
        onward=Link(words("hand_over.go"), page.url),
        other_card=page.attempt_id,
    )


def _not_paid(page: NotPaidPage, words: _Words) -> _View:
    return _View(
        "stop",
        words("not_paid.heading"),
        (words("not_paid.text"),),
        page.payment,
        onward=Link(words("open_again"), page.payment.page_url),
    )


def _closed(page: ClosedPage, words: _Words) -> _View:
    return _View(
        "stop",
        words(f"closed.{page.reason}.heading"),
        (words(f"closed.{page.reason}.text"), words("closed.do")),
        page.payment,
    )


def _no_such_payment(page: NoSuchPaymentPage, words: _Words) -> _View:
    if page.is_link_without_payment:
        texts = (words("no_payment.broken_text"), words("no_payment.broken_do"))
        return _View("stop", words("no_payment.broken_heading"), texts)
    return _View("stop", words("no_payment.heading"), (words("no_payment.text"),))


def _problem(page: ProblemPage, words: _Words) -> _View:
    specific = has_text(f"problem.{page.status.value}.heading")
    name = f"problem.{page.status.value}" if specific else "problem.default"
    link = None if page.status == HTTPStatus.NOT_FOUND else words("open_again" if specific else "look_again")
    return _View("stop", words(f"{name}.heading"), (words(f"{name}.text"),), link=link)


def _decline_key(decline_code: str | None) -> str:
    # Nobody is told that a card is reported lost or stolen, or looks fraudulent: the thief would learn it.
    return f"declined.{decline_code if decline_code in _DECLINES_EXPLAINED else 'default'}"


_DECLINES_EXPLAINED = frozenset(
    {
        "insufficient_funds",
        "expired_card",
        "incorrect_cvc",
        "invalid_number",
        "issuer_unavailable",
        "authentication_failed",
    }
)

_VIEWS: Mapping[type[Page], Callable[..., _View]] = {
    PayPage: _pay,
    DeclinedPage: _declined,
    NotSentPage: _not_sent,
    UnavailablePage: _unavailable,
    PaidPage: _paid,
    PendingPage: _pending,
    HandOverPage: _hand_over,
    NotPaidPage: _not_paid,
    ClosedPage: _closed,
    NoSuchPaymentPage: _no_such_payment,
    ProblemPage: _problem,
}
