"""How the card network finds the bank that issued a card."""

from service_kit import luhn

from bank_simulator.values.issued_cards import LAB_CARD
from bank_simulator.values.vocabulary import Bank

# The first digits of a card number (BIN, ISO/IEC 7812) name its bank.
BINS = {
    "999999": Bank.CIH,
    "400010": Bank.CIH,
    "400000": Bank.CIH,
    "510010": Bank.ATTIJARIWAFA,
    "545301": Bank.ATTIJARIWAFA,
    "400020": Bank.BMCE,
    "400030": Bank.BMCE,
    "519163": Bank.BMCE,
    "424242": Bank.BMCE,
}


def issuer_of(number: str) -> Bank | None:
    """Return the bank behind a card number; None when its check digit is wrong or nobody has its BIN."""
    if number != LAB_CARD and not luhn.is_valid(number):
        return None
    return BINS.get(number[:6])
