"""Issuing the test cards."""

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from bank_simulator.extensions import db
from bank_simulator.models import Card
from bank_simulator.values.issued_cards import TestCard
from bank_simulator.values.keyed_hash import cvv_hash


def issue_cards(cards: Iterable[TestCard], card_key: str) -> int:
    """Issue what is missing and bring the others up to date; return how many cards there are now."""
    wanted = {card.number: _columns(card, card_key) for card in cards}

    def work(session: Session) -> int:
        issued = {card.number: card for card in session.scalars(select(Card))}
        for number, columns in wanted.items():
            if number not in issued:
                session.add(Card(number=number, **columns))
                continue
            for name, value in columns.items():
                setattr(issued[number], name, value)
        return len(issued.keys() | wanted.keys())

    return db.in_transaction(work)


def _columns(card: TestCard, card_key: str) -> dict[str, object]:
    return {
        "bank": card.bank,
        "exp_year": card.exp_year,
        "exp_month": card.exp_month,
        "cvv_hash": cvv_hash(card_key, card.number, card.cvv),
        "behaviour": card.behaviour,
        "cardholder_check": card.cardholder_check,
        "opening_minor": card.opening_minor,
    }
