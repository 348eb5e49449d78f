"""What a page is made of: the payment, the form, the receipt, and all of it as the template takes it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from payment_service.pages.form import Field, FieldError
from payment_service.values.money import Money


@dataclass(frozen=True, slots=True)
class PaymentSummary:
    """What is being paid, and to whom; ``order_id`` is the merchant's own number, empty where it has none.

    ``page_url`` is the payment's own page, for what is shown elsewhere. ``return_url`` is where the merchant
    wants its customer afterwards.
    """

    payment_id: str
    order_id: str
    amount: Money
    merchant_name: str
    page_url: str
    description: str | None = None
    return_url: str | None = None


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
    not learn it.
    """

    paid_at: datetime
    amount: Money
    is_hold: bool = False
    card_last4: str | None = None
    authorization_code: str | None = None
    receipt_email: str | None = None


@dataclass(frozen=True, slots=True)
class Link:
    text: str
    url: str


@dataclass(frozen=True, slots=True)
class View:
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
