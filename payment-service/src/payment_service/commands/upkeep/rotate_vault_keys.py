"""Wraps the data keys of all cards with the key that seals now, while payments go on."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from payment_service.errors import SealedCardUnreadable
from payment_service.extensions import db
from payment_service.models.card import SealedCard
from payment_service.processing.dependencies import Dependencies
from payment_service.vault.vault import Vault


@dataclass(frozen=True, slots=True)
class RotateVaultKeys:
    """Re-wrap ``batch_size`` cards in one transaction, and pause between two of them: payments go first."""

    batch_size: int = 100
    pause_s: float = 0.01


def rotate_vault_keys(
    command: RotateVaultKeys, dependencies: Dependencies, on_progress: Callable[[int], object]
) -> Sequence[str]:
    """Re-wrap every card under another key than the first; return the owners of unreadable ones.

    A card's row says which key wraps it, and nothing else is to be remembered: after a kill, a new run finds
    what is left. ``on_progress`` is told how many cards each transaction has dealt with.
    """
    vault = dependencies.vault
    unreadable: list[str] = []
    for key_id in vault.keys.ids:
        after_id = 0
        while key_id != vault.keys.sealing_id:
            ids, owners = _rewrap_batch(vault, key_id, after_id, command.batch_size)
            unreadable += owners
            on_progress(len(ids))
            if len(ids) < command.batch_size:
                break
            after_id = ids[-1]
            time.sleep(command.pause_s)
    return unreadable


def _rewrap_batch(
    vault: Vault, key_id: str, after_id: int, batch_size: int
) -> tuple[Sequence[int], Sequence[str]]:
    """Return the ids of the cards in this batch, and the owners of those that stay as they are."""
    # By id, past what was seen: an unreadable card keeps its key, and must not be met again and again.
    statement = (
        select(SealedCard)
        .where(SealedCard.key_id == key_id, SealedCard.id > after_id)
        .order_by(SealedCard.id)
        .limit(batch_size)
        .with_for_update()
        .execution_options(populate_existing=True)
    )

    def work(session: Session) -> tuple[Sequence[int], Sequence[str]]:
        rows = session.scalars(statement).all()
        unreadable = []
        for row in rows:
            try:
                vault.rewrap(row)
            except SealedCardUnreadable as exc:
                unreadable.append(exc.owner)
        return [row.id for row in rows], unreadable

    return db.in_transaction(work)
