"""Turns a challenge into HTML, and holds the headers that go with it."""

from base64 import b64encode
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from hashlib import sha256
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from service_kit.currencies import currency_exponent
from werkzeug.datastructures import LanguageAccept
from werkzeug.http import parse_accept_header

from bank_simulator.pages.texts import Language, say

_templates = Environment(
    loader=PackageLoader("bank_simulator"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_STYLE: Final = _templates.get_template("challenge.css").render()
_STYLE_HASH: Final = b64encode(sha256(_STYLE.encode()).digest()).decode()

# Nothing is loaded, no script runs, and the form goes only to where the page came from.
CONTENT_SECURITY_POLICY: Final = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; img-src data:; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

BANK_NAMES: Final = {"cih": "CIH Bank", "attijariwafa": "Attijariwafa bank", "bmce": "BMCE"}


class PageState(StrEnum):
    ASK = "ask"
    DONE = "done"
    FAILED = "failed"
    CLOSED = "closed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class PaymentShown:
    bank: str
    merchant: str
    amount_minor: int
    currency: str
    last4: str


@dataclass(frozen=True, slots=True)
class ChallengePage:
    """One page; ``error`` is the key of the sentence about the code that was typed.

    ``code`` is what the phone would get. ``return_url`` leads back to the merchant.
    """

    state: PageState
    payment: PaymentShown | None = None
    code: str | None = None
    error: str | None = None
    return_url: str | None = None


def choose_language(accept_language: str | None) -> Language:
    """Return the language that the header prefers (RFC 9110, 12.5.4); French when it says nothing of ours."""
    accepted = parse_accept_header(accept_language, LanguageAccept)
    return Language(accepted.best_match(list(Language), default=Language.FR))


def render_page(page: ChallengePage, language: Language) -> str:
    payment = page.payment
    return _templates.get_template("challenge.html").render(
        page=page,
        language=language.value,
        style=Markup(_STYLE),  # noqa: S704 - our own file, inside <style>, where nothing may be escaped
        say=lambda key, **values: say(language, key, **values),
        amount=format_amount(payment.amount_minor, payment.currency, language) if payment else None,
        bank=BANK_NAMES.get(payment.bank, payment.bank) if payment else None,
    )


def page_headers(language: Language) -> dict[str, str]:
    """Return the headers of every page; it stands behind no gateway that would add some."""
    return {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Language": language.value,
        "Content-Security-Policy": CONTENT_SECURITY_POLICY,
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Vary": "Accept-Language",
    }


def format_amount(amount_minor: int, currency: str, language: Language) -> str:
    """Return the exact amount as a reader of ``language`` writes it, with the currency's ISO code."""
    decimals = currency_exponent(currency)
    text = f"{Decimal(amount_minor).scaleb(-decimals):,.{decimals}f}"
    if language is Language.EN:
        return f"{currency}\N{NO-BREAK SPACE}{text}"
    french = text.replace(",", "\N{NARROW NO-BREAK SPACE}").replace(".", ",")
    return f"{french}\N{NO-BREAK SPACE}{currency}"
