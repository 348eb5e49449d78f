"""Amounts of money: whole minor units and a currency, never a float."""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from service_kit.currencies import currency_exponent


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in minor units (centimes for MAD) of an ISO 4217 currency."""

    amount_minor: int
    currency: str

    @classmethod
    def from_decimal(cls, amount: Decimal, currency: str) -> "Money":
        """Round ``amount`` half up to the currency's exponent, as the shop's own row does."""
        exponent = Decimal(1).scaleb(-currency_exponent(currency))
        rounded = amount.quantize(exponent, rounding=ROUND_HALF_UP)
        return cls(int(rounded.scaleb(currency_exponent(currency))), currency)

    def to_decimal(self) -> Decimal:
        """Return the amount in major units with the currency's number of decimals."""
        return Decimal(self.amount_minor).scaleb(-currency_exponent(self.currency))
