"""The queue of letters: when they are tried again, and that each try is written into the delivery log."""

import math
from dataclasses import dataclass
from datetime import datetime

from service_kit.clock import utc_now
from service_kit.database import Database
from service_kit.leased_queue import Done, Failed, LeasedQueue, Result, RetrySchedule
from sqlalchemy import insert
from sqlalchemy.orm import Session

from notification_service.models import DeliveryAttempt, Notification
from notification_service.values.vocabulary import Outcome

QUEUE = "email"
DAY_S = 86_400.0
SCHEDULE = RetrySchedule(
    first_delays_s=(1, 5, 30, 120, 600), steps=((DAY_S, 3_600.0), (math.inf, 6 * 3_600.0))
)
# A mailbox that does not exist today will not tomorrow; a few tries outlast a server's mistake of minutes.
MAX_REFUSALS = 5


@dataclass(frozen=True, slots=True)
class Try:
    """One try to deliver: a row of the delivery log in the making."""

    attempted_at: datetime
    channel: str
    outcome: Outcome
    answer: str


@dataclass(frozen=True, slots=True)
class Delivered(Done):
    """The channel took the letter over."""

    tried: Try


@dataclass(frozen=True, slots=True, kw_only=True)
class NotDelivered(Failed):
    """The channel did not take it."""

    tried: Try


def result_of(tried: Try) -> Result:
    """Return what a try means for the queue."""
    if tried.outcome is Outcome.SENT:
        return Delivered(tried)
    limit = MAX_REFUSALS if tried.outcome is Outcome.REFUSED else None
    return NotDelivered(reason=tried.answer, max_attempts=limit, tried=tried)


class DeliveryQueue(LeasedQueue[Notification]):
    """The kit's queue, whose record also adds to the delivery log: one transaction, two statements."""

    def __init__(self, db: Database, *, lease_s: float) -> None:
        super().__init__(db, Notification, QUEUE, SCHEDULE, lease_s=lease_s)

    def record(self, row: Notification, result: Result) -> None:
        """Store the row's new state and the try; the try also where somebody else holds the row by now."""
        now = utc_now()
        values = self._after(row, result, now)
        tried = _try_of(result, now)

        def work(session: Session) -> None:
            self._store(session, row, values)
            session.execute(
                insert(DeliveryAttempt).values(
                    notification_id=row.id,
                    number=row.attempts,
                    attempted_at=tried.attempted_at,
                    channel=tried.channel,
                    recipient=row.recipient,
                    result=tried.outcome.value,
                    answer=tried.answer,
                )
            )

        self._db.in_transaction(work)


def _try_of(result: Result, now: datetime) -> Try:
    if isinstance(result, Delivered | NotDelivered):
        return result.tried
    # The worker's own: a defect of ours, before or in the channel.
    reason = result.reason if isinstance(result, Failed) else "done"
    return Try(now, "-", Outcome.FAILED, reason)
