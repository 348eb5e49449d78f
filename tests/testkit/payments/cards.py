"""Cards of the bank-simulator, as the clients of both surfaces send them."""

from collections.abc import Mapping
from multiprocessing.reduction import ForkingPickler
from typing import Any

from payment_service.values.cards import CardData

# The documented test card, as the lab's collections send it.
CARD: Mapping[str, Any] = {"cardNumber": 9999999999999, "cardCode": 123, "expirationDate": "2030-01-05"}
OTHER_CARD: Mapping[str, Any] = {
    "cardNumber": "4242 4242 4242 4242",
    "cardCode": "9071",
    "expirationDate": "2031-12",
}
V1_CARD: Mapping[str, Any] = {"number": "4242424242424242", "exp_month": 12, "exp_year": 2031, "cvc": "907"}
OTHER_V1_CARD: Mapping[str, Any] = {**V1_CARD, "number": "5555555555554444"}


def _taken_apart(card: CardData) -> tuple[type[CardData], tuple[Any, ...]]:
    return CardData, (card.pan, card.exp_month, card.exp_year, card.cvv)


# The product refuses to pickle a card; a test's processes send it to the scripted bank of another one.
ForkingPickler.register(CardData, _taken_apart)
