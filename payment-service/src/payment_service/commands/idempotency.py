"""The first transaction of a request with an idempotency key, or its only one."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeVar

from sqlalchemy.orm import Session

from payment_service.commands.dependencies import Dependencies
from payment_service.domain.idempotency.keys import IdempotentRequest, StoredAnswer, begin, finish
from payment_service.errors import KeyArrivedTwice
from payment_service.extensions import db

T = TypeVar("T")


def run_once(work: Callable[[Session], T]) -> T:
    """Run ``work``, which calls ``begin``, in a transaction; see ``Database.in_transaction``.

    Of two requests that insert one key at the same moment, the second runs its work again, and then finds
    what the first one stored.
    """
    try:
        return db.in_transaction(work)
    except KeyArrivedTwice:
        return db.in_transaction(work)


def answer_in_one(
    work: Callable[[Session], StoredAnswer],
    request: IdempotentRequest,
    resource_id: str,
    now: datetime,
    dependencies: Dependencies,
) -> StoredAnswer:
    """Carry out a request that calls nobody: its key, its work and its answer are stored in one transaction.

    Raises:
        KeyReused, KeyInProgress: see ``begin``.
        Whatever ``work`` raises; nothing is stored then, the key neither.
    """
    lease = timedelta(seconds=dependencies.config.limits.idempotency_lease_s)

    def keyed(session: Session) -> StoredAnswer:
        earlier = begin(session, request, resource_id, now, lease)
        if earlier is None:
            return finish(session, request, work(session))
        if earlier.answer is None:
            raise LookupError("A key whose answer is stored with it has none.")
        return earlier.answer

    return run_once(keyed)
