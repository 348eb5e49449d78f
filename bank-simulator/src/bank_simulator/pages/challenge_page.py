"""Turns a challenge into HTML, and holds the headers that go with it."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from functools import partial
from typing import Final

from service_kit.currencies import currency_exponent
from service_kit.web.pages import Language, Templates

from bank_simulator.pages.texts import CATALOGUE

_TEMPLATES: Final = Templates("bank_simulator", "challenge.css")
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


def render_page(page: ChallengePage, language: Language) -> str:
    payment = page.payment
    return _TEMPLATES.render(
        "challenge.html",
        page=page,
        language=language.value,
        say=partial(CATALOGUE.say, language),
        amount=format_amount(payment.amount_minor, payment.currency, language) if payment else None,
        bank=BANK_NAMES.get(payment.bank, payment.bank) if payment else None,
    )


def page_headers(language: Language) -> dict[str, str]:
    """Return the headers of every page; it stands behind no gateway that would add some."""
    more = {"Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY"}
    return _TEMPLATES.headers(language, more)


def format_amount(amount_minor: int, currency: str, language: Language) -> str:
    """Return the exact amount as a reader of ``language`` writes it, with the currency's ISO code."""
    decimals = currency_exponent(currency)
    text = f"{Decimal(amount_minor).scaleb(-decimals):,.{decimals}f}"
    if language is Language.EN:
        return f"{currency}\N{NO-BREAK SPACE}{text}"
    french = text.replace(",", "\N{NARROW NO-BREAK SPACE}").replace(".", ",")
    return f"{french}\N{NO-BREAK SPACE}{currency}"
