"""What becomes of each card of the bank, as its table of test cards promises it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Fate(StrEnum):
    """What becomes of a wish to pay when nothing goes wrong on the way."""

    APPROVED = "approved"
    DECLINED = "declined"
    REFUSED = "refused by our own checks"
    REVIEW = "held for review"
    ACTION = "the cardholder must act"
    LATER = "the bank decides later"


class Judgement(StrEnum):
    """What fraud-service says."""

    APPROVE = "approve"
    CHALLENGE = "challenge"
    REVIEW = "review"
    DECLINE = "decline"
    SILENT = "silent"


@dataclass(frozen=True)
class Card:
    """A card: its fate without a challenge asked for, with one, and when its holder is absent."""

    name: str
    number: str
    plain: Fate
    challenged: Fate
    absent: Fate
    after_challenge: Fate = Fate.APPROVED

    def _repr_pretty_(self, printer: Any, _cycle: bool) -> None:
        printer.text(f"<{self.name}>")  # by that a failing sequence is readable

    @property
    def on_v1(self) -> dict[str, Any]:
        """As merchants' servers send it."""
        return {"number": self.number, "exp_month": 1, "exp_year": 2030, "cvc": "123"}

    @property
    def on_lab(self) -> dict[str, Any]:
        """As the shop sends it."""
        return {"cardNumber": self.number, "cardCode": "123", "expirationDate": "2030-01"}


_YES, _NO, _ASK, _LATER = Fate.APPROVED, Fate.DECLINED, Fate.ACTION, Fate.LATER
GOOD = Card("good", "4242424242424242", _YES, _ASK, _YES)
DECIDED_LATER = Card("approved later", "4000200000000065", _LATER, _ASK, _LATER, after_challenge=_LATER)
CARDS = (
    GOOD,
    Card("frictionless", "4000100000000067", _YES, _YES, _YES),
    Card("always challenged", "4000100000000075", _ASK, _ASK, _NO),
    Card("attempted", "5100100000000063", _YES, _YES, _YES),
    Card("authentication fails", "5100100000000071", _NO, _NO, _YES),
    Card("authentication unavailable", "4000200000000057", _YES, _NO, _YES),
    Card("without money", "4000100000000034", _NO, _ASK, _NO, after_challenge=_NO),
    Card("lost", "4000100000000042", _NO, _NO, _NO),
    DECIDED_LATER,
    Card("declined later", "4000200000000073", _LATER, _ASK, _LATER, after_challenge=_LATER),
    Card("refunds succeed later", "4000100000000083", _YES, _ASK, _YES),
    Card("refunds fail later", "4000100000000091", _YES, _ASK, _YES),
    Card("loses its first answer", "4000200000000040", _YES, _ASK, _YES),
)
# As the service is set: below this a silent fraud-service stops nobody.
SILENCE_APPROVES_BELOW = 100_000


def fate(card: Card, judgement: Judgement, amount: int) -> Fate:
    """Return what becomes of a payment with this card, of which fraud-service says this."""
    if judgement is Judgement.DECLINE:
        return Fate.REFUSED
    if judgement is Judgement.CHALLENGE:
        return card.challenged
    is_silent = judgement is Judgement.SILENT
    if judgement is Judgement.REVIEW or (is_silent and amount >= SILENCE_APPROVES_BELOW):
        return Fate.REVIEW
    return card.plain
