"""Idempotency keys: a request that arrives again is answered again, and never carried out again.

The row is inserted in the transaction that creates what the request is about, before anybody is called;
the answer is stored in the transaction that stores the outcome. Between the two a lease says that somebody
is at work. A lease that ended was a process that died: whoever comes next tells how things stand, and
executes nothing (docs/adr/0015).
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import ceil

from service_kit.db.columns import table_of
from service_kit.db.rows import affected_rows
from sqlalchemy import Select, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from payment_service.errors import KeyInProgress, KeyReused
from payment_service.models.idempotency_key import IdempotencyKey

LONGEST_PAUSE_S = 2


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """An answer as it goes over the wire; ``body`` is UTF-8 text. ``is_replay``: it was given before."""

    status: int
    body: bytes
    content_type: str
    location: str | None = None
    retry_after_s: int | None = None
    is_replay: bool = False


@dataclass(frozen=True, slots=True)
class IdempotentRequest:
    """By what a repeat is recognised: ``key_hash`` names the request, ``fingerprint`` its parameters.

    Both are HMACs. While their key changes, the request is stored under ``old_hashes`` too: two processes
    that have one key in common meet at its UNIQUE name, whichever of them was first.
    """

    merchant_id: int
    key_hash: str
    fingerprint: str
    old_hashes: tuple[str, ...] = ()
    old_fingerprints: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Every name under which it is stored, in the order in which all processes lock them."""
        return tuple(sorted({self.key_hash, *self.old_hashes}))

    @property
    def fingerprints(self) -> tuple[str, ...]:
        return (self.fingerprint, *self.old_fingerprints)


@dataclass(frozen=True, slots=True)
class Earlier:
    """What an earlier request with this key left.

    ``answer`` is None where it died before it could answer: its lease is ours now. Make the answer from the
    resource as it stands, store it with ``finish``, and execute nothing. Lock no payment in
    the transaction that found this: whoever settles it late holds that lock and waits for the key.
    """

    resource_id: str
    answer: StoredAnswer | None


def begin_key(
    session: Session, request: IdempotentRequest, resource_id: str, now: datetime, lease: timedelta
) -> Earlier | None:
    """Take the key for ``resource_id``, or say what an earlier request left; None means: execute.

    It comes first in the transaction that creates the resource or the movement, so that key and movement
    are stored together or not at all. A key that another transaction is just storing is waited for.

    Raises:
        KeyReused: the earlier request had other parameters.
        KeyInProgress: it is still under way.
    """
    row = {
        "merchant_id": request.merchant_id,
        "fingerprint": request.fingerprint,
        "resource_id": resource_id,
        "created_at": now,
        "leased_until": now + lease,
    }
    try:
        # One statement, so that a name that is there keeps the others out: SQLite sends a list row by row.
        rows = [{**row, "key_hash": name} for name in request.names]
        with session.no_autoflush:
            session.execute(insert(table_of(IdempotencyKey)).values(rows))
    except IntegrityError:
        return _look(session, request, now, lease)
    return None


def finish(session: Session, request: IdempotentRequest, answer: StoredAnswer) -> StoredAnswer:
    """Store the answer in the transaction that stores the outcome, and return the one that counts.

    That is the first one ever stored: a request that was slower than its lease may find that another told
    meanwhile how things stood, and repeats get that for good.
    """
    keys = table_of(IdempotencyKey)
    statement = (
        update(keys)
        .where(keys.c.key_hash.in_(request.names), keys.c.answer_status.is_(None))
        .values(
            answer_status=answer.status,
            answer_body=answer.body.decode(),
            answer_content_type=answer.content_type,
            answer_location=answer.location,
            answer_retry_after_s=answer.retry_after_s,
        )
    )
    if affected_rows(session, statement):
        return answer
    row = session.scalars(stored_as(request).execution_options(populate_existing=True)).all()[0]
    return replace(_stored_answer(row), is_replay=False)


def _look(session: Session, request: IdempotentRequest, now: datetime, lease: timedelta) -> Earlier:
    rows = session.scalars(
        stored_as(request).with_for_update().execution_options(populate_existing=True)
    ).all()
    row = rows[0]
    if row.fingerprint not in request.fingerprints:
        raise KeyReused
    if row.is_answered:
        return Earlier(row.resource_id, _stored_answer(row))
    if now < row.leased_until:
        raise KeyInProgress(min(LONGEST_PAUSE_S, ceil((row.leased_until - now).total_seconds())))
    for each in rows:
        each.leased_until = now + lease
    return Earlier(row.resource_id, None)


def stored_as(request: IdempotentRequest) -> Select[IdempotencyKey]:
    """Return the query for its rows: one for each name, all of one transaction, so they say the same."""
    return select(IdempotencyKey).where(IdempotencyKey.key_hash.in_(request.names))


def _stored_answer(row: IdempotencyKey) -> StoredAnswer:
    if row.answer_status is None or row.answer_body is None or row.answer_content_type is None:
        raise LookupError("This key has no answer.")
    return StoredAnswer(
        status=row.answer_status,
        body=row.answer_body.encode(),
        content_type=row.answer_content_type,
        location=row.answer_location,
        retry_after_s=row.answer_retry_after_s,
        is_replay=True,
    )
