"""Card numbers: the one type that carries them, and what can be known of them without the bank."""

import hashlib
import hmac
import re
from collections.abc import Iterator
from typing import NoReturn

from service_kit.card_checks import has_check_digit


class CardData:
    """A card in memory, for the length of one request, from whoever read it to the provider or the vault.

    ``pan`` has digits only; ``cvv`` has 3 or 4, and is None where the payer is absent. It shows them only
    under these names, and a test lists who may use those: no text, JSON, pickle or copy of it can be made.
    """

    __slots__ = ("_cvv", "_pan", "exp_month", "exp_year")

    def __init__(self, pan: str, exp_month: int, exp_year: int, cvv: str | None = None) -> None:
        self._pan = pan
        self._cvv = cvv
        self.exp_month = exp_month
        self.exp_year = exp_year

    @property
    def pan(self) -> str:
        """The whole number: for the provider and the vault."""
        return self._pan

    @property
    def cvv(self) -> str | None:
        """The code on the card: for the provider alone; it is stored nowhere (PCI DSS 3.3.1)."""
        return self._cvv

    @property
    def has_cvv(self) -> bool:
        """Whether the payer gave the code, which a stored card does not."""
        return self._cvv is not None

    @property
    def last4(self) -> str:
        """The digits that may be shown and stored (PCI DSS 3.4.1)."""
        return self._pan[-4:]

    @property
    def bin(self) -> str:
        """The issuer's first six digits, which may be stored (PCI DSS 3.4.1)."""
        return self._pan[:6]

    @property
    def brand(self) -> str:
        """The scheme to which the first digits belong (ISO/IEC 7812 issuer ranges), or ``unknown``."""
        return _brand_of(self._pan)

    def fingerprint(self, key: bytes) -> str:
        """Return the HMAC-SHA256 by which we recognise the card; a bare hash of 16 digits can be undone."""
        return hmac.new(key, self._pan.encode(), hashlib.sha256).hexdigest()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, CardData) and self._parts() == other._parts()

    def __hash__(self) -> int:
        return hash(self._parts())

    def __repr__(self) -> str:
        return "CardData()"

    def __str__(self) -> str:
        return f"card ending in {self.last4}"

    def __reduce_ex__(self, _protocol: object) -> NoReturn:
        raise TypeError("Card data is neither pickled nor copied.")

    def _parts(self) -> tuple[str, int, int, str | None]:
        return self._pan, self.exp_month, self.exp_year, self._cvv


def is_card_number(digits: str, *, without_luhn: frozenset[str] = frozenset()) -> bool:
    """Whether ``digits`` can be a PAN (ISO/IEC 7812: 12 to 19 digits and a Luhn check digit).

    The numbers in ``without_luhn`` are accepted as they are: a setting of the lab surface.
    """
    if digits in without_luhn:
        return True
    return digits.isascii() and digits.isdigit() and 12 <= len(digits) <= 19 and has_check_digit(digits)


def holds_card_number(text: str) -> bool:
    """Whether a free text holds what must be a card number: by its digits, its network and its length.

    A right check digit alone is too little: a tenth of all long order numbers have one by chance.
    """
    return any(_is_of_a_network(digits) or digits == LAB_PAN for digits in _numbers_in(text))


def holds_card(text: str, card: CardData) -> bool:
    """Whether a free text holds the number of just this card."""
    return card.pan in _numbers_in(text)


def _numbers_in(text: str) -> Iterator[str]:
    """Yield the digits of every run, and of every part of it that ends at its blanks, dots or dashes."""
    for run in _RUN.findall(text):
        groups = _GROUP.findall(run)
        for start in range(len(groups)):
            for end in range(start + 1, len(groups) + 1):
                digits = "".join(groups[start:end])
                if len(digits) > _LONGEST_PAN:
                    break
                yield digits


def _is_of_a_network(digits: str) -> bool:
    return len(digits) in _LENGTHS and has_check_digit(digits) and _brand_of(digits) != "unknown"


def _brand_of(digits: str) -> str:
    return next((brand for brand, range_ in _BRANDS.items() if range_.match(digits)), "unknown")


# The lab's documented card, which no network knows.
LAB_PAN = "9999999999999"
_LENGTHS = frozenset({14, 15, 16, 19})
_LONGEST_PAN = 19
_RUN = re.compile(r"[0-9](?:[ .\u2010-\u2014-]*[0-9]){11,}")
_GROUP = re.compile(r"[0-9]+")
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
