"""Facts that stop a use case; what they mean to an HTTP client stands in problems.py."""

from dataclasses import dataclass
from typing import ClassVar


class PaymentError(Exception):
    """Base of everything that a use case raises; ``message`` may name the error's own fields."""

    message: ClassVar[str] = "{reason}"

    def __str__(self) -> str:
        return self.message.format(**vars(self))


@dataclass(eq=False)
class PaymentNotFound(PaymentError):
    """No payment of this surface has this id."""

    payment_id: str

    def __str__(self) -> str:
        # A shop that never got an id from us fills one of these in.
        if self.payment_id in {"0", "None"}:
            return (
                "The shop got no payment for this order when it made it: it could not reach the payment "
                "service, or that refused what it sent. Please order again, or ask the shop."
            )
        return "There is no such payment."


@dataclass(eq=False)
class PaymentBusy(PaymentError):
    """Another request is processing this payment at this moment; ``retry_after_s`` is a fair pause."""

    message = "This payment is being processed by another request."
    retry_after_s: int


@dataclass(eq=False)
class PaymentClosed(PaymentError):
    """The payment was cancelled or has expired; ``status`` says which."""

    message = "This payment can no longer be paid: it is {status}."
    status: str


class ChargeRefused(PaymentError):
    """The attempt surely took nothing, and the payment can be paid again; refusals.py says what is told."""

    message = "Nothing was charged."
    state: ClassVar[str]


class ChargeNotSent(ChargeRefused):
    """The charge surely never left."""

    state = "not_sent"


class ChargeAbandoned(ChargeRefused):
    """The charge was given up, and the bank will never carry it out."""

    state = "abandoned"


@dataclass(eq=False)
class ProcessingUnavailable(PaymentError):
    """We cannot judge or send the charge now: nothing was taken, and the payment can be paid again."""

    message = "{reason} Nothing was charged; please try again in a moment."
    reason: str


class MerchantMissing(PaymentError):
    message = "The lab merchant is missing; run `payment-service seed`."


@dataclass(eq=False)
class IllegalTransition(PaymentError):
    """A programming error: the state of a payment or movement does not lead to ``target``."""

    message = "What is {current} cannot become {target}."
    current: str
    target: str


@dataclass(eq=False)
class NotFound(PaymentError):
    """There is none, or none that the caller may see: of merchants, API clients, payment methods and such."""

    message = "There is no such {what}."
    what: str


@dataclass(eq=False)
class CursorUnknown(PaymentError):
    """A page should begin or end at a row that the caller does not have; ``field`` named it."""

    message = "There is nothing with this id in this list."
    field: str


class SigningKeyMissing(PaymentError):
    message = "There is no signing key; run `payment-service seed` or `signing-keys rotate`."


@dataclass(eq=False)
class SigningKeyUnreadable(PaymentError):
    message = "The signing key {kid} was encrypted with another TOKEN_KEY_ENCRYPTION_KEY."
    kid: str


@dataclass(eq=False)
class SealedCardUnreadable(PaymentError):
    """A card in the vault cannot be decrypted; ``owner`` is the public id that it was stored under."""

    message = (
        "The card of {owner} cannot be decrypted: VAULT_KEYS lacks the right key {key_id!r}, or the row "
        "was changed."
    )
    owner: str
    key_id: str


class NothingOfThisId(PaymentError):
    """A path of /v1 names something by an id that none of our things can have."""

    message = "There is nothing with this id."


class PaymentMethodUnusable(PaymentError):
    message = "There is no such payment method, or it was detached."


class PaymentMethodOfAnotherCustomer(PaymentError):
    message = "The payment method belongs to another customer than the payment's."


class AccessTokenMissing(PaymentError):
    message = "This needs an access token: Authorization: Bearer …, from POST /oauth2/token."


@dataclass(eq=False)
class AccessTokenInvalid(PaymentError):
    """The access token is not ours, was changed, has expired, or its client was disabled."""

    reason: str = "The access token is not valid."


@dataclass(eq=False)
class ScopeMissing(PaymentError):
    """The access token is good, but does not allow this; ``scope`` would."""

    message = "This needs the scope {scope}."
    scope: str


@dataclass(eq=False)
class TokenRefused(PaymentError):
    """No token for this request; ``code`` is RFC 6749's (5.2)."""

    code: str
    reason: str


@dataclass(eq=False)
class ClientRefused(TokenRefused):
    """The client did not show who it is; the answer does not say what was wrong."""

    code: str = "invalid_client"
    reason: str = "Unknown client, wrong secret, or a client that was disabled."


@dataclass(eq=False)
class TooManyFailures(TokenRefused):
    """Too many requests for a token failed; in ``wait_s`` seconds it may be tried again."""

    # RFC 6749 has no word for it; this one is registered for the same endpoint by RFC 8628.
    code: str = "slow_down"
    reason: str = "Too many requests with a wrong client or secret: try again later."
    wait_s: int = 60


class IdempotencyKeyMissing(PaymentError):
    message = "This needs the header Idempotency-Key: a name of yours for this request."


class IdempotencyKeyInvalid(PaymentError):
    message = "Idempotency-Key must be 1 to 255 printable ASCII characters."


@dataclass(eq=False)
class KeyInProgress(PaymentError):
    """The first request with this key has no answer yet; ``retry_after_s`` is a fair pause."""

    message = "The first request with this Idempotency-Key is still under way."
    retry_after_s: int


class KeyReused(PaymentError):
    message = "This Idempotency-Key was used with other parameters. Take a new key."


class WebhookNotVerified(PaymentError):
    message = "The signature is missing, is not the provider's, or is older than 5 minutes."


@dataclass(eq=False)
class WebhookUnreadable(PaymentError):
    """The provider signed this, but it is not what its events look like."""

    reason: str


class MoneyUnderWay(PaymentError):
    """Whether something fits a payment is known once its open captures and refunds have ended."""

    message = "A capture or refund of this payment is still under way."


@dataclass(eq=False)
class WrongPaymentState(PaymentError):
    """A payment in this state cannot be captured, cancelled or refunded; ``status`` is the state."""

    message = "This payment cannot be {operation}: it is {status}."
    operation: str
    status: str


@dataclass(eq=False)
class MovementOpen(PaymentError):
    message = "{reason} Please try again in a moment."
    reason: str


@dataclass(eq=False)
class AmountTooLarge(PaymentError):
    """More was requested than there is; ``largest_minor`` is what there is, open movements left out."""

    message = "At most {largest_minor} (in minor units) can still be {operation}."
    operation: str
    largest_minor: int

    def __str__(self) -> str:
        return super().__str__() if self.largest_minor else f"Nothing is left that could be {self.operation}."


class CancellationNotConfirmed(PaymentError):
    message = "The bank did not confirm the cancellation. Nothing changed; please try again."


class ReviewCardMissing(PaymentError):
    message = "The card that was kept for this review is gone; please reject the payment."
