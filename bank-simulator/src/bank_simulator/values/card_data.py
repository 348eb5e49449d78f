"""What a payer typed: in memory for one request."""

from dataclasses import dataclass, field
from datetime import date


@dataclass(frozen=True, slots=True)
class CardData:
    """A card as presented; printing it shows neither its number nor its CVV."""

    number: str = field(repr=False)
    exp_month: int
    exp_year: int
    cvv: str | None = field(repr=False)


def has_expired(exp_year: int, exp_month: int, today: date) -> bool:
    """Whether the card's last month is over; a card is good until the end of that month."""
    return (exp_year, exp_month) < (today.year, today.month)
