"""The vault: keeps a card number for one owner and one purpose, until it is deleted (docs/adr/0014)."""

import json
from datetime import datetime
from enum import StrEnum

from cryptography.exceptions import InvalidTag
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from payment_service.errors import SealedCardUnreadable
from payment_service.models.card import SealedCard
from payment_service.values.cards import CardData
from payment_service.vault.envelopes import Envelope, EnvelopeKeys


class Purpose(StrEnum):
    REVIEW = "review"
    PAYMENT_METHOD = "payment_method"


class Vault:
    """Stores, opens and deletes cards inside the caller's transaction; the CVV is never among what it stores.

    It draws random keys and nonces there: harmless, because a unit that is run again stores its row anew.
    """

    def __init__(self, keys: EnvelopeKeys) -> None:
        self.keys = keys

    def store(
        self, session: Session, owner: str, purpose: Purpose, card: CardData, merchant_id: int, now: datetime
    ) -> None:
        """Keep number and expiry for ``owner`` (``att_…`` or ``pm_…``), which has one card at most."""
        row = SealedCard(owner=owner, purpose=purpose, merchant_id=merchant_id, created_at=now)
        text = json.dumps([card.pan, card.exp_month, card.exp_year]).encode()
        envelope = self.keys.seal(text, _context(row))
        row.key_id, row.wrapped_key, row.sealed = envelope.key_id, envelope.wrapped_key, envelope.sealed
        session.add(row)

    def open(self, session: Session, owner: str, purpose: Purpose, merchant_id: int) -> CardData | None:
        """Return the card that is kept for just this, without a CVV; None if there is none (any more).

        Raises:
            SealedCardUnreadable: VAULT_KEYS lacks its key, or the row was changed or moved.
        """
        row = session.scalar(
            select(SealedCard).where(
                SealedCard.owner == owner,
                SealedCard.purpose == purpose,
                SealedCard.merchant_id == merchant_id,
            )
        )
        if row is None:
            return None
        try:
            text = self.keys.open(_envelope(row), _context(row))
        # A changed row may not even be base64 (ValueError) any more.
        except (KeyError, InvalidTag, ValueError) as exc:
            raise SealedCardUnreadable(owner, row.key_id) from exc
        pan, exp_month, exp_year = json.loads(text)
        return CardData(pan, exp_month, exp_year)

    def rewrap(self, row: SealedCard) -> None:
        """Wrap the row's data key with the key that seals now; the sealed number stays as it is.

        Raises:
            SealedCardUnreadable: see :meth:`open`; the row stays as it is.
        """
        try:
            envelope = self.keys.rewrap(_envelope(row), _context(row))
        except (KeyError, InvalidTag, ValueError) as exc:
            raise SealedCardUnreadable(row.owner, row.key_id) from exc
        row.key_id, row.wrapped_key = envelope.key_id, envelope.wrapped_key


def forget_card(session: Session, owner: str) -> None:
    session.execute(delete(SealedCard).where(SealedCard.owner == owner))


def _envelope(row: SealedCard) -> Envelope:
    return Envelope(row.key_id, row.wrapped_key, row.sealed)


def _context(row: SealedCard) -> str:
    return f"{row.owner}\n{row.purpose}\n{row.merchant_id}"
