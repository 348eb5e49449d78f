"""Turns a page into HTML: what it is made of, as the template takes it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import partial
from http import HTTPStatus
from typing import Final

from service_kit.web.pages import Language, Templates

from payment_service.pages.form import OTHER_CARD, Field, FieldError
from payment_service.pages.languages import CATALOGUE, format_amount, format_moment, format_number
from payment_service.values.money import Money

TEMPLATES: Final = Templates("payment_service", "payment_page.css")
LAB_CARD: Final = {
    "number": "9999 9999 9999 9".replace(" ", "\N{NO-BREAK SPACE}"),
    "code": "123",
    "expiry": "01/30",
}
"""The documented test card, as the lab's form shows it."""


@dataclass(frozen=True, slots=True)
class Seller:
    """What the law wants to know of the merchant on a receipt; what it did not give is empty."""

    legal_name: str = ""
    address: tuple[str, ...] = ()
    tax_number: str = ""


@dataclass(frozen=True, slots=True)
class LineItem:
    """What was sold; ``unit`` is the price of one, ``tax`` is that of the whole line, if there is any."""

    name: str
    quantity: int
    unit: Money
    tax: Money | None = None
    tax_rate: Decimal | None = None

    @property
    def amount(self) -> Money:
        return Money(self.quantity * self.unit.amount_minor, self.unit.currency)


@dataclass(frozen=True, slots=True)
class PaymentSummary:
    """What is being paid, and to whom; ``order_id`` is the merchant's own number, empty where it has none.

    ``page_url`` is the payment's own page, for what is shown elsewhere. ``return_url`` is where the merchant
    wants its customer afterwards. ``seller`` and ``line_items`` stand on the receipt.
    """

    payment_id: str
    order_id: str
    amount: Money
    merchant_name: str
    page_url: str
    description: str | None = None
    return_url: str | None = None
    seller: Seller = Seller()
    line_items: tuple[LineItem, ...] = ()


@dataclass(frozen=True, slots=True)
class FormState:
    """The card form as it is to be shown.

    ``form_key`` names this showing of the form, so that a reload or a double click is recognised.
    ``kept`` and ``errors`` come from a refused form; a card number or code is never kept.
    """

    form_key: str
    kept: Mapping[Field, str] = field(default_factory=dict)
    errors: Mapping[Field, FieldError] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Receipt:
    """The proof of a payment of ``amount``; ``is_hold`` while that is only reserved on the card.

    ``receipt_email`` belongs only into the answer to the payer's own form: whoever opens the link later must
    not learn it. ``refunded`` is what was given back since.
    """

    paid_at: datetime
    amount: Money
    is_hold: bool = False
    card_last4: str | None = None
    authorization_code: str | None = None
    receipt_email: str | None = None
    refunded: Money | None = None


@dataclass(frozen=True, slots=True)
class Link:
    text: str
    url: str


@dataclass(frozen=True, slots=True)
class Page:
    """What a page shows; every text is the name of a sentence in templates/texts.

    ``status`` is the code with which it answers a submitted form, the JSON answer's code. ``tone`` is the
    colour and the sign: ask, done, wait or stop. ``link`` is the text of a link to this same address,
    ``onward`` leads to what comes next. ``other_card`` is the attempt that "use another card" ends.
    """

    status: HTTPStatus
    tone: str
    heading: str
    texts: tuple[str, ...]
    payment: PaymentSummary | None = None
    form: FormState | None = None
    form_heading: str | None = None
    receipt: Receipt | None = None
    link: str | None = None
    onward: Link | None = None
    other_card: str | None = None


def render_page(page: Page, language: Language, *, is_lab: bool = False, is_return: bool = False) -> str:
    """Return ``page`` as an HTML document.

    ``is_lab`` adds the test card to the form. ``is_return``: it is not shown at the payment's own address.
    """
    payment, receipt = page.payment, page.receipt
    return TEMPLATES.render(
        "page.html",
        page=page,
        language=language.value,
        say=partial(
            CATALOGUE.say,
            language,
            merchant=payment.merchant_name if payment else "",
            email=(receipt and receipt.receipt_email) or "",
            refunded=format_amount(receipt.refunded, language) if receipt and receipt.refunded else "",
        ),
        amount=format_amount(payment.amount, language) if payment else None,
        money=partial(format_amount, language=language),
        number=partial(format_number, language=language),
        paid_amount=format_amount(receipt.amount, language) if receipt else None,
        moment=partial(format_moment, language=language),
        lab_card=LAB_CARD if is_lab else None,
        fields=Field,
        other_card_field=OTHER_CARD,
        own_page=payment.page_url if payment and is_return else None,
    )
