"""Waiting for another request that is at work on the same thing, so as to answer like it.

Whoever waits occupies a thread and nothing of the database: every look is a short transaction of its own. It
looks rather than being told, because the other request may be in another process, and may die.
"""

import time
from collections.abc import Callable
from datetime import timedelta

from service_kit.clock import utc_now
from service_kit.db.database import leave_transaction
from service_kit.deadlines import Deadline, time_left_s
from sqlalchemy import select
from sqlalchemy.orm import Session

from payment_service.domain.payments.claims import Waited
from payment_service.extensions import db
from payment_service.models.movement import PaymentAttempt
from payment_service.processing.dependencies import Dependencies
from payment_service.values.statuses import MovementState

# In all other states a request has ended what it could do, whatever comes of the attempt.
_AT_WORK = frozenset({MovementState.ASSESSING, MovementState.SENDING})
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.05, 0.5
_RESERVED_FOR_ANSWERING_S = 1.0


class Waiting:
    """The waits of one request that wants to pay; made when it begins."""

    def __init__(self, dependencies: Dependencies) -> None:
        self._dependencies = dependencies
        self._until = longest_wait(dependencies)
        # As late as its charge could begin had it not waited: the rest of its time is the provider's.
        self._may_try_until = Deadline.after(dependencies.config.limits.send_within_s)
        self._since: int | None = None

    @property
    def waited(self) -> Waited | None:
        """What a new claim must know; None before the first wait."""
        if self._since is None:
            return None
        return Waited(self._since, may_try=not self._may_try_until.has_passed)

    def outlasts(self, attempt: PaymentAttempt) -> bool:
        """Wait while somebody is at work on ``attempt``; whether nobody is any more, and somebody was.

        False at the limit, and at once where too many wait already.
        """
        grace = timedelta(seconds=self._dependencies.config.limits.busy_grace_s)
        attempt_id, busy_until = attempt.id, attempt.send_before + grace

        def has_ended(session: Session) -> bool:
            state = session.scalar(select(PaymentAttempt.state).where(PaymentAttempt.id == attempt_id))
            return state not in _AT_WORK or utc_now() >= busy_until

        if not is_at_work(attempt, grace) or not wait_until(has_ended, self._until, self._dependencies):
            return False
        self._since = self._since or attempt_id
        return True

    def has_seen_the_end_of(self, attempt: PaymentAttempt | None) -> bool:
        """Whether this request waited, and nobody is at work on ``attempt`` any more."""
        return self._since is not None and attempt is not None and attempt.state not in _AT_WORK


def is_at_work(attempt: PaymentAttempt, grace: timedelta) -> bool:
    """Whether a request, this one or another, may be carrying ``attempt`` on at this moment."""
    return attempt.state in _AT_WORK and utc_now() < attempt.send_before + grace


def longest_wait(dependencies: Dependencies) -> Deadline:
    """Return until when a request may wait that begins to do so now, with time left for its answer."""
    longest_s = dependencies.config.limits.repeat_wait_s
    left_s = time_left_s(longest_s + _RESERVED_FOR_ANSWERING_S) - _RESERVED_FOR_ANSWERING_S
    return Deadline.after(max(0.0, left_s))


def wait_until(is_over: Callable[[Session], bool], limit: Deadline, dependencies: Dependencies) -> bool:
    """Wait for what ``is_over`` reads; False at the limit, and at once where too many wait already.

    Raises:
        DatabaseUnavailable: it cannot be read.
    """
    places = dependencies.waiting_places
    if not places.acquire(blocking=False):
        return False
    try:
        leave_transaction(db.session())
        pause_s = _FIRST_PAUSE_S
        while not limit.has_passed:
            time.sleep(min(pause_s, limit.remaining_s()))
            with db.reading() as session:
                if is_over(session):
                    return True
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
        return False
    finally:
        places.release()
