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


class ProcessingUnavailable(PaymentError):
    """We cannot judge or send the charge now: nothing was taken, and the payment can be paid again."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"{reason} Nothing was charged; please try again in a moment.")


class MerchantMissing(PaymentError):
    """The lab merchant is not there: the database was migrated but not seeded."""

    def __init__(self) -> None:
        super().__init__("The lab merchant is missing; run `payment-service seed`.")


class IllegalTransition(PaymentError):
    """A payment was asked to change into a state that its own does not lead to: a programming error."""

    def __init__(self, current: str, target: str) -> None:
        super().__init__(f"A {current} payment cannot become {target}.")
