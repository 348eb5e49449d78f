"""What a page can say: one frozen dataclass per kind, filled in by a controller."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from http import HTTPStatus

from payment_service.pages.form import Field, FieldError
from payment_service.values.money import Money

# What the shop writes into its payment link when it could not reach us while it made the order.
LINKS_WITHOUT_PAYMENT = frozenset({"0", "None"})


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
class PayPage:
    """The form: fresh, or with what was wrong in it."""

    payment: PaymentSummary
    form: FormState


@dataclass(frozen=True, slots=True)
class DeclinedPage:
    """The bank said no; the form is there for another card, with a new key.

    Without a form the payment's own page has it. ``decline_code`` None, or one we do not know, gets a
    general sentence.
    """

    payment: PaymentSummary
    form: FormState | None
    decline_code: str | None = None


@dataclass(frozen=True, slots=True)
class NotSentPage:
    """Nothing was charged, the form is there again: the bank could surely not be reached.

    ``is_abandoned``: or the attempt was given up, and the bank will never carry it out.
    """

    payment: PaymentSummary
    form: FormState
    is_abandoned: bool = False


@dataclass(frozen=True, slots=True)
class UnavailablePage:
    """We cannot take the payment just now and nothing was charged.

    Both are None when not even the payment could be read.
    """

    payment: PaymentSummary | None = None
    form: FormState | None = None


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
class PaidPage:
    """Paid; ``is_repeat`` when it was paid before this request, which charged nothing."""

    payment: PaymentSummary
    receipt: Receipt
    is_repeat: bool = False


class PendingReason(StrEnum):
    """Why the outcome is not there yet."""

    UNKNOWN = "unknown"
    """The bank was asked and has not answered."""
    PROCESSING = "processing"
    """Another request is paying at this moment."""
    REVIEW = "review"
    """A person looks at it before anything is charged."""


@dataclass(frozen=True, slots=True)
class PendingPage:
    """The outcome is still to come: do not pay again, look again."""

    payment: PaymentSummary
    reason: PendingReason


@dataclass(frozen=True, slots=True)
class HandOverPage:
    """The bank wants to see who pays: its cardholder goes on to ``url`` (3-D Secure).

    ``attempt_id`` is what "use another card" ends; ``is_stuck`` when it was to be ended and the bank did not
    confirm that.
    """

    payment: PaymentSummary
    url: str
    attempt_id: str
    is_stuck: bool = False


@dataclass(frozen=True, slots=True)
class NotPaidPage:
    """The try is over and took nothing; the payment's own page has the form for another one."""

    payment: PaymentSummary


class ClosedReason(StrEnum):
    CANCELLED = "cancelled"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class ClosedPage:
    """The payment can no longer be made."""

    payment: PaymentSummary
    reason: ClosedReason


@dataclass(frozen=True, slots=True)
class NoSuchPaymentPage:
    """No payment has this id; ``requested_id`` is the id in the address, as it was typed."""

    requested_id: str

    @property
    def is_link_without_payment(self) -> bool:
        return self.requested_id in LINKS_WITHOUT_PAYMENT


@dataclass(frozen=True, slots=True)
class ProblemPage:
    """Any other refusal or failure, by its status code; ``payment_id`` and more are not known."""

    status: HTTPStatus


Page = (
    PayPage
    | DeclinedPage
    | NotSentPage
    | UnavailablePage
    | PaidPage
    | PendingPage
    | HandOverPage
    | NotPaidPage
    | ClosedPage
    | NoSuchPaymentPage
    | ProblemPage
)


def status_of(page: Page) -> HTTPStatus:  # noqa: PLR0911 - one line per kind reads as the table it is
    """Return the status code with which ``page`` answers a submitted form: the JSON answer's code."""
    match page:
        case PayPage(form=form):
            return HTTPStatus.BAD_REQUEST if form.errors else HTTPStatus.OK
        case PaidPage() | NotPaidPage():
            return HTTPStatus.OK
        case HandOverPage() | PendingPage(reason=PendingReason.UNKNOWN | PendingReason.REVIEW):
            return HTTPStatus.ACCEPTED
        case PendingPage() | ClosedPage():
            return HTTPStatus.CONFLICT
        case DeclinedPage():
            return HTTPStatus.PAYMENT_REQUIRED
        case NotSentPage():
            return HTTPStatus.BAD_GATEWAY
        case UnavailablePage():
            return HTTPStatus.SERVICE_UNAVAILABLE
        case NoSuchPaymentPage():
            return HTTPStatus.NOT_FOUND
        case ProblemPage(status=status):
            return status
