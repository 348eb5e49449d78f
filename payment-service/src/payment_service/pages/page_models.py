"""The pages, one frozen dataclass per kind with its status and what it says; controllers fill them in."""

from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus

from payment_service.pages.languages import Language, has_text, say
from payment_service.pages.render import FormState, Link, PaymentSummary, Receipt, Say, View

# What the shop writes into its payment link when it could not reach us while it made the order.
LINKS_WITHOUT_PAYMENT = frozenset({"0", "None"})
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


@dataclass(frozen=True, slots=True)
class PayPage:
    """The form: fresh, or with what was wrong in it."""

    payment: PaymentSummary
    form: FormState

    @property
    def status(self) -> HTTPStatus:
        return HTTPStatus.BAD_REQUEST if self.form.errors else HTTPStatus.OK

    def view(self, say: Say) -> View:
        heading = say("form.heading")
        return View("ask", say("pay.heading"), (), self.payment, self.form, heading)


@dataclass(frozen=True, slots=True)
class DeclinedPage:
    """The bank said no; the form is there for another card, with a new key.

    Without a form the payment's own page has it. ``decline_code`` None, or one we do not know, gets a
    general sentence.
    """

    payment: PaymentSummary
    form: FormState | None
    decline_code: str | None = None
    status = HTTPStatus.PAYMENT_REQUIRED

    def view(self, say: Say) -> View:
        return View(
            "stop",
            say("declined.heading"),
            (say(decline_key(self.decline_code)), say("declined.no_charge")),
            self.payment,
            self.form,
            say("form.other_card"),
            onward=None if self.form else Link(say("form.other_card"), self.payment.page_url),
        )


def decline_key(decline_code: str | None) -> str:
    """Return the name of the sentence; unknown and delicate codes get the general one.

    Nobody is told that a card is reported lost or stolen, or looks fraudulent: the thief would learn it.
    """
    return f"declined.{decline_code if decline_code in _DECLINES_EXPLAINED else 'default'}"


def decline_sentence(decline_code: str | None, language: Language) -> str:
    """Return what a customer is told about a decline."""
    return say(language, decline_key(decline_code))


@dataclass(frozen=True, slots=True)
class NotSentPage:
    """Nothing was charged, the form is there again: the bank could surely not be reached.

    ``is_abandoned``: or the attempt was given up, and the bank will never carry it out.
    """

    payment: PaymentSummary
    form: FormState
    is_abandoned: bool = False
    status = HTTPStatus.BAD_GATEWAY

    def view(self, say: Say) -> View:
        name = "abandoned" if self.is_abandoned else "not_sent"
        texts = (say(f"{name}.text"),)
        return View("stop", say(f"{name}.heading"), texts, self.payment, self.form, say("form.again"))


@dataclass(frozen=True, slots=True)
class UnavailablePage:
    """We cannot take the payment just now and nothing was charged.

    Both are None when not even the payment could be read.
    """

    payment: PaymentSummary | None = None
    form: FormState | None = None
    status = HTTPStatus.SERVICE_UNAVAILABLE

    def view(self, say: Say) -> View:
        return View(
            "stop",
            say("unavailable.heading"),
            (say("unavailable.text"),),
            self.payment,
            self.form,
            say("form.again"),
            link=None if self.form else say("open_again"),
        )


@dataclass(frozen=True, slots=True)
class PaidPage:
    """Paid; ``is_repeat`` when it was paid before this request, which charged nothing."""

    payment: PaymentSummary
    receipt: Receipt
    is_repeat: bool = False
    status = HTTPStatus.OK

    def view(self, say: Say) -> View:
        name = "held" if self.receipt.is_hold else "paid"
        if self.is_repeat:
            heading, texts = say(f"{name}.repeat_heading"), [say(f"{name}.repeat_text")]
        else:
            heading = say(f"{name}.heading")
            texts = [say(f"{name}.text", merchant=self.payment.merchant_name)]
        if self.receipt.receipt_email:
            texts.append(say("paid.email", email=self.receipt.receipt_email))
        return View("done", heading, tuple(texts), self.payment, receipt=self.receipt)


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

    @property
    def status(self) -> HTTPStatus:
        is_elsewhere = self.reason is PendingReason.PROCESSING
        return HTTPStatus.CONFLICT if is_elsewhere else HTTPStatus.ACCEPTED

    def view(self, say: Say) -> View:
        name = f"pending.{self.reason}"
        is_review = self.reason is PendingReason.REVIEW
        advice = (
            ("pending.review.again", "pending.review.do") if is_review else ("pending.do", "pending.safe")
        )
        texts = (say(f"{name}.text"), *map(say, advice))
        return View("wait", say(f"{name}.heading"), texts, self.payment, link=say("look_again"))


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
    status = HTTPStatus.ACCEPTED

    def view(self, say: Say) -> View:
        back = say("hand_over.back", merchant=self.payment.merchant_name)
        return View(
            "ask",
            say("hand_over.heading"),
            (say("hand_over.stuck"),) if self.is_stuck else (say("hand_over.text"), back),
            self.payment,
            onward=Link(say("hand_over.go"), self.url),
            other_card=self.attempt_id,
        )


@dataclass(frozen=True, slots=True)
class NotPaidPage:
    """The try is over and took nothing; the payment's own page has the form for another one."""

    payment: PaymentSummary
    status = HTTPStatus.OK

    def view(self, say: Say) -> View:
        onward = Link(say("open_again"), self.payment.page_url)
        texts = (say("not_paid.text"),)
        return View("stop", say("not_paid.heading"), texts, self.payment, onward=onward)


class ClosedReason(StrEnum):
    CANCELLED = "cancelled"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class ClosedPage:
    """The payment can no longer be made."""

    payment: PaymentSummary
    reason: ClosedReason
    status = HTTPStatus.CONFLICT

    def view(self, say: Say) -> View:
        texts = (say(f"closed.{self.reason}.text"), say("closed.do"))
        return View("stop", say(f"closed.{self.reason}.heading"), texts, self.payment)


@dataclass(frozen=True, slots=True)
class NoSuchPaymentPage:
    """No payment has this id; ``requested_id`` is the id in the address, as it was typed."""

    requested_id: str
    status = HTTPStatus.NOT_FOUND

    def view(self, say: Say) -> View:
        if self.requested_id in LINKS_WITHOUT_PAYMENT:
            texts = (say("no_payment.broken_text"), say("no_payment.broken_do"))
            return View("stop", say("no_payment.broken_heading"), texts)
        return View("stop", say("no_payment.heading"), (say("no_payment.text"),))


@dataclass(frozen=True, slots=True)
class ProblemPage:
    """Any other refusal or failure, by its status code; ``payment_id`` and more are not known."""

    status: HTTPStatus

    def view(self, say: Say) -> View:
        is_explained = has_text(f"problem.{self.status.value}.heading")
        name = f"problem.{self.status.value}" if is_explained else "problem.default"
        invitation = say("open_again" if is_explained else "look_again")
        link = None if self.status == HTTPStatus.NOT_FOUND else invitation
        return View("stop", say(f"{name}.heading"), (say(f"{name}.text"),), link=link)
