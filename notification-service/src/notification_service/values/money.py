"""Amounts of money: whole minor units of an ISO 4217 currency, never a float."""

from decimal import Decimal

from babel import Locale
from service_kit.currencies import currency_exponent


def to_decimal(amount_minor: int, currency: str) -> Decimal:
    """Return the amount in major units, exact, with all decimals of the currency."""
    sign, digits, _ = Decimal(amount_minor).as_tuple()
    return Decimal((sign, digits, -currency_exponent(currency)))


def currency_symbol(currency: str, locale: Locale) -> str:
    """Return how the language writes the currency, such as ``€``, ``$US`` or ``MAD``."""
    symbol: str = locale.currency_symbols.get(currency, currency)
    return symbol
