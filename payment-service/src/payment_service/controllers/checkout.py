"""``/checkout``: the payment page of a merchant's payment, and where browsers come back from their banks."""

from flask import Response
from service_kit.web.api import Blueprint

from payment_service.controllers import payment_page
from payment_service.domain.payments.references import CheckoutPayment

checkout = Blueprint("checkout", "checkout", url_prefix="/checkout", description="Pages for payers")
_PAGES = payment_page.described_pages(
    _200="The form, or how the payment stands", _404="No such payment, as a page"
)
_PAGES_AFTER_A_FORM = payment_page.described_pages(
    _200="Paid, now or before",
    _202="The bank wants to see the cardholder, or the outcome is still open",
    _400="Something in the form is missing or wrong",
    _402="The bank declined; another card may follow",
    _404="No such payment",
    _409="Still being paid elsewhere after waiting for it, or closed",
    _502="Certainly not charged; payable again",
    _503="Not now; not charged",
)


@checkout.get("/<token>")
@checkout.doc(responses=_PAGES)
def show_page(token: str) -> Response:
    """Show the page on which a person pays."""
    return payment_page.show(_reference, token)


@checkout.post("/<token>")
@checkout.doc(requestBody=payment_page.described_form(), responses=_PAGES_AFTER_A_FORM)
def submit_form(token: str) -> Response:
    """Take the form of the page."""
    return payment_page.submit(_reference, token)


@checkout.get("/3ds/<return_token>")
@checkout.doc(responses=_PAGES)
def show_return(return_token: str) -> Response:
    """Show how the payment stands to a browser that comes back from its bank."""
    return payment_page.show_returned(_token(return_token))


@checkout.post("/3ds/<return_token>")
@checkout.doc(responses=_PAGES)
def submit_return(return_token: str) -> Response:
    """Do the same: some banks send the browser back with a form."""
    return payment_page.show_returned(_token(return_token))


def _reference(token: str) -> CheckoutPayment:
    return CheckoutPayment(_token(token))


def _token(text: str) -> str:
    """Return what to look for; MySQL refuses to compare a token with a text that cannot be one."""
    return text if text.isascii() else ""
