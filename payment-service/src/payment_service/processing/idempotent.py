"""The first transaction of a request with an idempotency key, or its only one."""

from collections.abc import Callable
from datetime import datetime, timedelta

from service_kit.db.database import DatabaseUnavailable
from sqlalchemy import select
from sqlalchemy.orm import Session

from payment_service.domain.idempotency_keys import IdempotentRequest, StoredAnswer, begin, finish
from payment_service.extensions import db
from payment_service.models.idempotency_key import IdempotencyKey
from payment_service.processing.dependencies import Dependencies


def left_no_trace(request: IdempotentRequest) -> bool:
    """Whether the first transaction of ``request``, whose COMMIT was lost, seems not to be stored.

    Then nothing may be promised: what it would have made cannot be found under the id that it was given, and
    the caller may send the same key again. False where the database cannot be read either.
    """
    try:
        with db.reading() as session:
            found = select(IdempotencyKey.id).where(IdempotencyKey.key_hash == request.key_hash)
            return session.execute(found).first() is None
    except DatabaseUnavailable:
        return False


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

    return db.in_transaction(keyed)
