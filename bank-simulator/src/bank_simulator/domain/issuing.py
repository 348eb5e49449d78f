"""What a client bank says to a payment, before it looks at the money."""

import hmac
from datetime import date

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from bank_simulator.domain.routing import issuer_of
from bank_simulator.models import Card
from bank_simulator.values.card_data import CardData, has_expired
from bank_simulator.values.keyed_hash import cvv_hash
from bank_simulator.values.vocabulary import CardBehaviour, DeclineCode

_DECLINING = {
    CardBehaviour.LOST_CARD: DeclineCode.LOST_CARD,
    CardBehaviour.STOLEN_CARD: DeclineCode.STOLEN_CARD,
    CardBehaviour.DO_NOT_HONOR: DeclineCode.DO_NOT_HONOR,
    CardBehaviour.FRAUDULENT: DeclineCode.FRAUDULENT,
    CardBehaviour.ISSUER_UNAVAILABLE: DeclineCode.ISSUER_UNAVAILABLE,
}
FIND = select(Card).where(Card.number == bindparam("number"), Card.bank == bindparam("bank"))


def find_card(session: Session, presented: CardData) -> Card | None:
    """Return the card that the network's routing leads to, or None when no bank issued it."""
    bank = issuer_of(presented.number)
    if bank is None:
        return None
    return session.scalar(FIND, {"number": presented.number, "bank": bank})


def refusal(card: Card | None, presented: CardData, today: date, card_key: str) -> DeclineCode | None:
    """Return why the bank refuses the card itself, or None when only the money remains to be asked.

    As at many issuers, any expiry date that has not passed is accepted, and a payment without CVV too.
    """
    if card is None:
        return DeclineCode.INVALID_NUMBER
    if card.behaviour in _DECLINING:
        return _DECLINING[card.behaviour]
    if has_expired(presented.exp_year, presented.exp_month, today) or has_expired(
        card.exp_year, card.exp_month, today
    ):
        return DeclineCode.EXPIRED_CARD
    if presented.cvv is not None and not hmac.compare_digest(
        card.cvv_hash, cvv_hash(card_key, presented.number, presented.cvv)
    ):
        return DeclineCode.INCORRECT_CVC
    return None
