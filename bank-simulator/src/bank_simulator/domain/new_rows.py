"""Storing new rows whose ids are needed at once."""

from typing import Any, cast

from service_kit.db.columns import table_of
from service_kit.db.rows import given_values
from sqlalchemy import CursorResult, insert
from sqlalchemy.orm import Session

from bank_simulator.models import Account, NetworkRequest


def insert_new(session: Session, row: Account | NetworkRequest) -> None:
    """Insert an object that is in no session, and give it its id; it stays in no session.

    The ORM, which would watch over it from then on, costs more than twice as much.

    Raises:
        IntegrityError: at once, if there is such a row already.
    """
    result = session.execute(insert(table_of(type(row))), given_values(row))
    (row.id,) = cast("tuple[int]", cast("CursorResult[Any]", result).inserted_primary_key)
