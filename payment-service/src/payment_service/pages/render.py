"""Turns a page value into HTML, and holds the headers that go with it."""

from base64 import b64encode
from dataclasses import replace
from functools import partial
from hashlib import sha256
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from payment_service.pages.form import OTHER_CARD, Field
from payment_service.pages.languages import Language, format_amount, format_moment, say
from payment_service.pages.page_models import Page, decline_key
from payment_service.pages.view import Link

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
    speak = partial(say, language)
    view = page.view(speak)
    if view.payment and view.payment.return_url and not view.form and not view.other_card:
        back = Link(speak("back", merchant=view.payment.merchant_name), view.payment.return_url)
        view = replace(view, back=back)
    return _templates.get_template("page.html").render(
        view=view,
        language=language.value,
        style=Markup(_STYLE),  # noqa: S704 - our own file, inside <style>, where nothing may be escaped
        say=speak,
        amount=format_amount(view.payment.amount, language) if view.payment else None,
        paid_amount=format_amount(view.receipt.amount, language) if view.receipt else None,
        moment=lambda moment: format_moment(moment, language),
        lab_card=LAB_CARD if is_lab else None,
        fields=Field,
        other_card_field=OTHER_CARD,
        own_page=view.payment.page_url if view.payment and is_return else None,
    )


def decline_sentence(decline_code: str | None, language: Language) -> str:
    """Return what a customer is told about a decline."""
    return say(language, decline_key(decline_code))


def page_headers(language: Language) -> dict[str, str]:
    """Return the headers of every page: nobody may keep it, frame it, or add anything to it."""
    return {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Language": language.value,
        "Content-Security-Policy": CONTENT_SECURITY_POLICY,
        "Cache-Control": "no-store",
        "Vary": "Accept-Language",
    }
