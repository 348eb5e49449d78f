"""Facts that stop a use case; what they mean to an HTTP client is said in problems.py alone."""

_NO_PAYMENT_MADE = (
    "The shop could not reach the payment service while it made this order, so no payment exists for it. "
    "Please order again, or ask the shop."
)


class PaymentError(Exception):
    """Base of everything that a use case raises."""


class PaymentNotFound(PaymentError):
    """No payment of this surface has this id."""

    def __init__(self, payment_id: str) -> None:
        super().__init__(_NO_PAYMENT_MADE if payment_id in {"0", "None"} else "There is no such payment.")
        self.payment_id = payment_id


class PaymentBusy(PaymentError):
    """Another request is processing this payment at this moment; ``retry_after_s`` is a fair pause."""

    def __init__(self, retry_after_s: int) -> None:
        super().__init__("This payment is being processed by another request.")
        self.retry_after_s = retry_after_s


class PaymentClosed(PaymentError):
    """The payment was cancelled or has expired; ``status`` says which."""

    def __init__(self, status: str) -> None:
        super().__init__(f"This payment can no longer be paid: it is {status}.")
        self.status = status


class ChargeNotSent(PaymentError):
    """The charge surely never left: nothing was taken, and the payment can be paid again."""

    def __init__(self) -> None:
        super().__init__("The bank could not be reached. Nothing was charged; please try again.")


class ChargeAbandoned(PaymentError):
    """The charge was given up, and the bank will never carry it out; the payment can be paid again."""

    def __init__(self) -> None:
        super().__init__(
            "This attempt was given up before the bank had charged the card. Nothing was charged; "
            "please try again."
        )


class ProcessingUnavailable(PaymentError):
    """We cannot judge or send the charge now: nothing was taken, and the payment can be paid again."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"{reason} Nothing was charged; please try again in a moment.")


class MerchantMissing(PaymentError):
    """The lab merchant is not there: the database was migrated but not seeded."""

    def __init__(self) -> None:
        super().__init__("The lab merchant is missing; run `payment-service seed`.")


class IllegalTransition(PaymentError):
    """A payment or an attempt was asked to become what its state does not lead to: a programming error."""

    def __init__(self, current: str, target: str) -> None:
        super().__init__(f"What is {current} cannot become {target}.")


class MerchantNotFound(PaymentError):
    """No merchant has this id."""

    def __init__(self) -> None:
        super().__init__("There is no such merchant.")


class ApiClientNotFound(PaymentError):
    """No API client has this id."""

    def __init__(self) -> None:
        super().__init__("There is no such API client.")


class CursorUnknown(PaymentError):
    """A page should begin or end at a row that the caller does not have; ``field`` named it."""

    def __init__(self, field: str) -> None:
        super().__init__("There is nothing with this id in this list.")
        self.field = field


class SigningKeyMissing(PaymentError):
    """Nothing can sign a token: no signing key was made."""

    def __init__(self) -> None:
        super().__init__("There is no signing key; run `payment-service seed` or `signing-keys rotate`.")


class SigningKeyUnreadable(PaymentError):
    """The signing key cannot be decrypted: TOKEN_KEY_ENCRYPTION_KEY is not what it was sealed with."""

    def __init__(self, kid: str) -> None:
        super().__init__(f"The signing key {kid} was encrypted with another TOKEN_KEY_ENCRYPTION_KEY.")
        self.kid = kid


class SealedCardUnreadable(PaymentError):
    """A card in the vault cannot be decrypted: VAULT_KEYS lacks its key, or the row is not as we wrote it."""

    def __init__(self, owner: str, key_id: str) -> None:
        super().__init__(
            f"The card of {owner} cannot be decrypted: VAULT_KEYS lacks the right key {key_id!r}, or the row "
            "was changed."
        )
        self.owner = owner


class NothingOfThisId(PaymentError):
    """A path of /v1 names something by an id that none of our things can have."""

    def __init__(self) -> None:
        super().__init__("There is nothing with this id.")


class PaymentMethodNotFound(PaymentError):
    """The merchant has no payment method of this id."""

    def __init__(self) -> None:
        super().__init__("There is no such payment method.")


class PaymentMethodUnusable(PaymentError):
    """The payment method that a request names cannot pay: the merchant has none such, or detached it."""

    def __init__(self) -> None:
        super().__init__("There is no such payment method, or it was detached.")


class AccessTokenMissing(PaymentError):
    """The request carries no access token."""

    def __init__(self) -> None:
        super().__init__("This needs an access token: Authorization: Bearer …, from POST /oauth2/token.")


class AccessTokenInvalid(PaymentError):
    """The access token is not ours, was changed, has expired, or its client was disabled."""

    def __init__(self, reason: str = "The access token is not valid.") -> None:
        super().__init__(reason)


class ScopeMissing(PaymentError):
    """The access token is good, but does not allow this; ``scope`` would."""

    def __init__(self, scope: str) -> None:
        super().__init__(f"This needs the scope {scope}.")
        self.scope = scope


class TokenRefused(PaymentError):
    """No token for this request; ``code`` is RFC 6749's (5.2)."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code


class ClientRefused(TokenRefused):
    """The client did not show who it is; the answer does not say what was wrong."""

    def __init__(self) -> None:
        super().__init__("invalid_client", "Unknown client, wrong secret, or a client that was disabled.")


class IdempotencyKeyMissing(PaymentError):
    """A request that must name itself does not."""

    def __init__(self) -> None:
        super().__init__("This needs the header Idempotency-Key: a name of yours for this request.")


class IdempotencyKeyInvalid(PaymentError):
    """The header is there, and is no key."""

    def __init__(self) -> None:
        super().__init__("Idempotency-Key must be 1 to 255 printable ASCII characters.")


class KeyInProgress(PaymentError):
    """The first request with this key is still under way; ``retry_after_s`` is a fair pause."""

    def __init__(self, retry_after_s: int) -> None:
        super().__init__("The first request with this Idempotency-Key is still under way.")
        self.retry_after_s = retry_after_s


class KeyReused(PaymentError):
    """This key came with other parameters before."""

    def __init__(self) -> None:
        super().__init__("This Idempotency-Key was used with other parameters. Take a new key.")


class WebhookNotVerified(PaymentError):
    """Nobody can say that the provider sent this: no signature of its, or one that is too old."""

    def __init__(self) -> None:
        super().__init__("The signature is missing, is not the provider's, or is older than 5 minutes.")


class WebhookUnreadable(PaymentError):
    """The provider signed this, but it is not what its events look like."""


class MoneyUnderWay(PaymentError):
    """Whether something fits a payment is known once its open captures and refunds have ended."""

    def __init__(self) -> None:
        super().__init__("A capture or refund of this payment is still under way.")


class DisputeNotFound(PaymentError):
    """The merchant has no dispute with this id."""

    def __init__(self) -> None:
        super().__init__("There is no such dispute.")


class WrongPaymentState(PaymentError):
    """A payment in this state cannot be captured, cancelled or refunded; ``status`` is the state."""

    def __init__(self, wish: str, status: str) -> None:
        super().__init__(f"This payment cannot be {wish}: it is {status}.")
        self.status = status


class MovementOpen(PaymentError):
    """Another movement of this payment must come to its end first."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"{reason} Please try again in a moment.")


class AmountTooLarge(PaymentError):
    """More was wanted than there is; ``largest_minor`` is what there is, open movements left out."""

    def __init__(self, wish: str, largest_minor: int) -> None:
        super().__init__(f"At most {largest_minor} (in minor units) can still be {wish}.")
        self.largest_minor = largest_minor


class CancellationNotConfirmed(PaymentError):
    """The bank did not confirm that the cardholder's attempt is over, so nothing was cancelled."""

    def __init__(self) -> None:
        super().__init__("The bank did not confirm the cancellation. Nothing changed; please try again.")


class RefundNotFound(PaymentError):
    """The merchant has no refund with this id."""

    def __init__(self) -> None:
        super().__init__("There is no such refund.")


class ReviewCardMissing(PaymentError):
    """The card that was kept for the review is gone; the payment can only be rejected."""

    def __init__(self) -> None:
        super().__init__("The card that was kept for this review is gone; please reject the payment.")
