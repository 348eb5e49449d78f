"""The queue of e-mails: when they are tried again, and that each try is written into the delivery log."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from service_kit.clock import utc_now
from service_kit.db.database import Database
from service_kit.db.rows import insert_rows
from service_kit.jobs.queue import Done, Failed, LeasedQueue, Result, RetrySchedule
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
    attempted_at: datetime
    channel: str
    outcome: Outcome
    answer: str


@dataclass(frozen=True, slots=True)
class Delivered(Done):
    tried: Try


@dataclass(frozen=True, slots=True, kw_only=True)
class NotDelivered(Failed):
    tried: Try


def result_of(tried: Try) -> Result:
    if tried.outcome is Outcome.SENT:
        return Delivered(tried)
    limit = MAX_REFUSALS if tried.outcome is Outcome.REFUSED else None
    return NotDelivered(reason=tried.answer, max_attempts=limit, tried=tried)


class DeliveryQueue(LeasedQueue[Notification]):
    """The kit's queue, whose record also adds to the delivery log: one transaction, few statements."""

    def __init__(self, db: Database, *, lease_s: float) -> None:
        super().__init__(db, Notification, QUEUE, SCHEDULE, lease_s=lease_s)

    def record_all(self, finished: Sequence[tuple[Notification, Result]]) -> None:
        """Store what became of the e-mails, each with its try in the delivery log."""
        now = utc_now()
        super().record_all([(row, _with_try(result, now)) for row, result in finished])

    def _store_more(self, session: Session, finished: Sequence[tuple[Notification, Result]]) -> None:
        """Add the tries to the log; also those of a row that somebody else holds by now."""
        tries = [
            {
                "notification_id": row.id,
                "number": row.attempts,
                "attempted_at": result.tried.attempted_at,
                "channel": result.tried.channel,
                "recipient": row.recipient,
                "result": result.tried.outcome,
                "answer": result.tried.answer,
            }
            for row, result in finished
            if isinstance(result, Delivered | NotDelivered)
        ]
        insert_rows(session, DeliveryAttempt, tries)


def _with_try(result: Result, now: datetime) -> Result:
    """Give a failure of the worker itself, a defect of ours before or in the channel, its line in the log."""
    if isinstance(result, Failed) and not isinstance(result, NotDelivered):
        return NotDelivered(reason=result.reason, tried=Try(now, "-", Outcome.FAILED, result.reason))
    return result
