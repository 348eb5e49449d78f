"""Stores what may be sent more than once: each key once, many in one statement."""

from collections.abc import Mapping
from typing import Any, cast

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import DeclarativeBase, InstrumentedAttribute, Session
from tenacity import retry, retry_if_exception_type, stop_after_attempt

from service_kit.database import Database
from service_kit.insert_rows import insert_rows


# Somebody else stored one of the same keys between our look and our insert: look again.
@retry(retry=retry_if_exception_type(IntegrityError), stop=stop_after_attempt(5), reraise=True)
def insert_once(db: Database, key: InstrumentedAttribute[str], rows: Mapping[str, Mapping[str, Any]]) -> int:
    """Insert those of ``rows`` (by key) that are not stored yet, and return how many those are.

    ``key`` is the model's column that names a row; a unique constraint on it decides.
    """

    def work(session: Session) -> int:
        known = set(session.scalars(select(key).where(key.in_(rows))))
        # In the order of their keys, so that two who bring the same rows lock them in the same order.
        missing = [dict(rows[name]) for name in sorted(rows) if name not in known]
        if missing:
            insert_rows(session, cast(type[DeclarativeBase], key.class_), missing)
        return len(missing)

    return db.in_transaction(work)
