"""Amounts of money: whole minor units of an ISO 4217 currency, never a float."""

from decimal import Decimal

from babel import Locale
from babel.numbers import list_currencies

# ISO 4217, list one. Babel's own figures are CLDR's, which drop the minor unit where cash no longer uses it.
_EXPONENTS = {
    **dict.fromkeys(["BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF"], 0),
    **dict.fromkeys(["UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"], 0),
    **dict.fromkeys(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"], 3),
    **dict.fromkeys(["CLF", "UYW"], 4),
}
_KNOWN: frozenset[str] = frozenset(list_currencies())


def is_currency(code: str) -> bool:
    """Whether ``code`` is a currency that we can write an amount of."""
    return code in _KNOWN


def currency_exponent(currency: str) -> int:
    """Return the number of decimals of the currency's minor unit: 2 for MAD, 0 for JPY, 3 for TND."""
    return _EXPONENTS.get(currency, 2)


def to_decimal(amount_minor: int, currency: str) -> Decimal:
    """Return the amount in major units, exact, with all decimals of the currency."""
    sign, digits, _ = Decimal(amount_minor).as_tuple()
    return Decimal((sign, digits, -currency_exponent(currency)))


def currency_symbol(currency: str, locale: Locale) -> str:
    """Return how the language writes the currency, such as ``€``, ``$US`` or ``MAD``."""
    symbol: str = locale.currency_symbols.get(currency, currency)
    return symbol
