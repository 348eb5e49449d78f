"""Reads for operators how many cards each key of the vault seals."""

from collections.abc import Mapping

from sqlalchemy import func, select

from payment_service.extensions import db
from payment_service.models.card import SealedCard


def count_sealed_cards() -> Mapping[str, int]:
    """Return the number of cards by the id of the key that wraps their data keys."""
    statement = select(SealedCard.key_id, func.count()).group_by(SealedCard.key_id)
    with db.reading() as session:
        return {row[0]: row[1] for row in session.execute(statement)}
