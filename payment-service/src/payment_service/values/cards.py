"""A card in memory, for the length of one request; it never prints itself."""

import hashlib
import hmac
import re
from dataclasses import dataclass, field
from datetime import date


@dataclass(frozen=True, slots=True)
class CardData:
    """What the cardholder typed: digits only; ``cvv`` has 3 or 4, and is None where the payer is absent."""

    number: str = field(repr=False)
    exp_month: int = field(repr=False)
    exp_year: int = field(repr=False)
    cvv: str | None = field(default=None, repr=False)

    def __str__(self) -> str:
        return f"card ending in {self.last4}"

    @property
    def last4(self) -> str:
        """The digits that may be shown and stored (PCI DSS 3.4.1)."""
        return self.number[-4:]

    @property
    def bin(self) -> str:
        """The issuer's first six digits, which may be stored (PCI DSS 3.4.1)."""
        return self.number[:6]

    def fingerprint(self, key: bytes) -> str:
        """Return the HMAC-SHA256 by which we recognise the card; a bare hash of 16 digits can be undone."""
        return hmac.new(key, self.number.encode(), hashlib.sha256).hexdigest()


def is_card_number(digits: str, *, without_luhn: frozenset[str]) -> bool:
    """Whether ``digits`` can be a PAN (ISO/IEC 7812: 12 to 19 digits and a Luhn check digit).

    The numbers in ``without_luhn`` are accepted as they are: a setting of the lab surface.
    """
    if digits in without_luhn:
        return True
    return digits.isascii() and digits.isdigit() and 12 <= len(digits) <= 19 and _passes_luhn(digits)


def has_expired(exp_month: int, exp_year: int, today: date) -> bool:
    """Whether the card's last month is over; a card is good to the last day of its month."""
    return (exp_year, exp_month) < (today.year, today.month)


def card_brand(digits: str) -> str:
    """Return the scheme to which the first digits belong (ISO/IEC 7812 issuer ranges), or ``unknown``."""
    return next((brand for brand, range_ in _BRANDS.items() if range_.match(digits)), "unknown")


# The first that matches counts.
_BRANDS = {
    "visa": re.compile("4"),
    "mastercard": re.compile("5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720"),
    "amex": re.compile("3[47]"),
    "discover": re.compile("6011|64[4-9]|65"),
    "diners": re.compile("30[0-5]|3095|3[689]"),
    "jcb": re.compile("35(2[89]|[3-8])"),
    "unionpay": re.compile("62"),
    "maestro": re.compile("50|5[6-9]|6"),
}


def _passes_luhn(digits: str) -> bool:
    total = 0
    for position, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if position % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0
