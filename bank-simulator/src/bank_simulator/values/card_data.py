"""What a payer typed: in memory for one request."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class CardData:
    """A card as presented; printing it shows neither its number nor its CVV."""

    number: str = field(repr=False)
    exp_month: int
    exp_year: int
    cvv: str | None = field(repr=False)
