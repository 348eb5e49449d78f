"""How the network finds the bank of a card, and what that says before it looks at the money."""

import hmac
from datetime import datetime

from service_kit.card_checks import has_check_digit, has_expired
from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from bank_simulator.models import Card
from bank_simulator.values.card_data import CardData
from bank_simulator.values.issued_cards import LAB_CARD
from bank_simulator.values.keyed_hash import cvv_hash
from bank_simulator.values.vocabulary import Bank, CardBehaviour, DeclineCode

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
_DECLINING = {
    CardBehaviour.LOST_CARD: DeclineCode.LOST_CARD,
    CardBehaviour.STOLEN_CARD: DeclineCode.STOLEN_CARD,
    CardBehaviour.DO_NOT_HONOR: DeclineCode.DO_NOT_HONOR,
    CardBehaviour.FRAUDULENT: DeclineCode.FRAUDULENT,
    CardBehaviour.ISSUER_UNAVAILABLE: DeclineCode.ISSUER_UNAVAILABLE,
}
FIND = select(Card).where(Card.number == bindparam("number"), Card.bank == bindparam("bank"))


def issuer_of(number: str) -> Bank | None:
    """Return the bank behind a card number; None when its check digit is wrong or nobody has its BIN."""
    if number != LAB_CARD and not has_check_digit(number):
        return None
    return BINS.get(number[:6])


def find_card(session: Session, presented: CardData) -> Card | None:
    """Return the card that the network's routing leads to, or None when no bank issued it."""
    bank = issuer_of(presented.number)
    if bank is None:
        return None
    return session.scalar(FIND, {"number": presented.number, "bank": bank})


def refusal(card: Card | None, presented: CardData, now: datetime, card_key: str) -> DeclineCode | None:
    """Return why the bank refuses the card itself, or None when only the money remains to be asked.

    As at many issuers, any expiry date that has not passed is accepted, and a payment without CVV too.
    """
    if card is None:
        return DeclineCode.INVALID_NUMBER
    if card.behaviour in _DECLINING:
        return _DECLINING[card.behaviour]
    if has_expired(presented.exp_month, presented.exp_year, now) or has_expired(
        card.exp_month, card.exp_year, now
    ):
        return DeclineCode.EXPIRED_CARD
    if presented.cvv is not None and not hmac.compare_digest(
        card.cvv_hash, cvv_hash(card_key, presented.number, presented.cvv)
    ):
        return DeclineCode.INCORRECT_CVC
    return None
