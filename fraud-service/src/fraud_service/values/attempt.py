"""The attempt to pay that is to be assessed."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Card:
    """What is known of a card here: never its number."""

    fingerprint: str
    bin: str
    last4: str


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request for an assessment, as the payment-service sent it.

    ``amount_minor`` counts the smallest unit of ``currency``; ``client_ip`` is None unless it can be trusted.
    ``has_cvv`` is False where the payer is absent: a stored card guesses no code.
    """

    attempt_id: str
    payment_id: str
    merchant_id: str
    amount_minor: int
    currency: str
    card: Card
    user_id: str
    order_id: str
    client_ip: str | None
    has_cvv: bool = True

    def document(self) -> dict[str, Any]:
        """Return the members as sent, always in the same order, so that equal requests are equal texts."""
        return asdict(self)
