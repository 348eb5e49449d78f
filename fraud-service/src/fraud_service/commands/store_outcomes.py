"""Store what became of attempts and of the money: the limits count what did not pay."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from service_kit.db.columns import table_of
from service_kit.db.database import insert_missing, look_again
from sqlalchemy import Update, bindparam, or_, update
from sqlalchemy.orm import Session

from fraud_service.extensions import db
from fraud_service.models import Assessment, Outcome
from fraud_service.values.vocabulary import OutcomeKind, TryResult

WRONG_CVV = "incorrect_cvc"
_PAID = frozenset({OutcomeKind.AUTHORIZED, OutcomeKind.CAPTURED})
# What a result may follow: news may come twice and in any order, and what has paid has paid.
_MAY_FOLLOW: Mapping[TryResult, Collection[TryResult]] = {
    TryResult.PAID: (TryResult.OPEN, TryResult.DECLINED, TryResult.WRONG_CVV),
    TryResult.DECLINED: (TryResult.OPEN,),
    TryResult.WRONG_CVV: (TryResult.OPEN,),
}
_ASSESSMENTS = table_of(Assessment)
# Built once: building one takes longer than running it.
_NOTE: Mapping[TryResult, Update] = {
    result: update(_ASSESSMENTS)
    .where(
        _ASSESSMENTS.c.attempt_id.in_(bindparam("attempts", expanding=True)),
        or_(*(_ASSESSMENTS.c.result == earlier for earlier in earlier_results)),
    )
    .values(result=result)
    for result, earlier_results in _MAY_FOLLOW.items()
}


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
    decline_code: str | None
    occurred_at: datetime

    @property
    def result(self) -> TryResult | None:
        """What it says of its attempt; nothing where that is known since the money moved."""
        if self.kind in _PAID:
            return TryResult.PAID
        if self.kind is OutcomeKind.DECLINED:
            return TryResult.WRONG_CVV if self.decline_code == WRONG_CVV else TryResult.DECLINED
        return None


@look_again
def store_outcomes(outcomes: Sequence[StoreOutcome], now: datetime) -> int:
    """Store the outcomes that are new, and return how many those are; the first that brings an id wins."""
    rows = {outcome.event_id: {**asdict(outcome), "received_at": now} for outcome in outcomes}

    def work(session: Session) -> int:
        for result in _MAY_FOLLOW:
            _note(session, result, {outcome.attempt_id for outcome in outcomes if outcome.result is result})
        return insert_missing(session, Outcome.event_id, rows)

    return db.in_transaction(work)


def _note(session: Session, result: TryResult, attempts: Collection[str | None]) -> None:
    """Write the result down with those of the attempts that are counted."""
    named = sorted(attempt for attempt in attempts if attempt is not None)
    if named:
        session.execute(_NOTE[result], {"attempts": named})
