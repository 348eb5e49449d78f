"""Store what became of the money, for rules that learn from it."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from service_kit.db.database import insert_once

from fraud_service.extensions import db
from fraud_service.models import Outcome
from fraud_service.values.vocabulary import OutcomeKind


@dataclass(frozen=True, slots=True)
class StoreOutcome:
    event_id: str
    kind: OutcomeKind
    merchant_id: str
    payment_id: str
    attempt_id: str | None
    card_fingerprint: str | None
    amount_minor: int | None
    currency: str | None
    occurred_at: datetime


def store_outcomes(outcomes: Sequence[StoreOutcome], now: datetime) -> int:
    """Store the outcomes that are new, and return how many those are; the first that brings an id wins."""
    rows = {outcome.event_id: {**asdict(outcome), "received_at": now} for outcome in outcomes}
    return insert_once(db, Outcome.event_id, rows)
