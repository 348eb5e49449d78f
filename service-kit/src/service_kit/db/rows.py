"""Rows that are only ever added: written table by table, without the ORM, as nobody changes them.

Events, messages and entries of one unit of work come from many places and go to few tables. Gathered, each
table costs one statement, on every engine: an ORM that wants ids back sends one for each row to MySQL.
"""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from flask_sqlalchemy.session import Session as FlaskSession
from sqlalchemy import CursorResult, Delete, Update, insert
from sqlalchemy.orm import DeclarativeBase, Session

from service_kit.db.columns import table_of

Row = Mapping[str, Any]


class AppendingSession(FlaskSession):
    """A session that takes such rows and writes them when everything else of the transaction is written."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._gathered: dict[type[DeclarativeBase], list[Row]] = {}

    def gather(self, model: type[DeclarativeBase], rows: Sequence[Row]) -> None:
        """Keep the rows until ``write_gathered``."""
        self._gathered.setdefault(model, []).extend(rows)

    def write_gathered(self) -> None:
        """Flush, and insert what was gathered: it may refer to rows that are new themselves."""
        self.flush()
        gathered, self._gathered = self._gathered, {}
        for model, rows in gathered.items():
            insert_rows(self, model, rows)

    def commit(self) -> None:
        self.write_gathered()
        super().commit()

    def rollback(self) -> None:
        self._gathered = {}
        super().rollback()

    def close(self) -> None:
        self._gathered = {}
        super().close()


def append_rows(session: Session, model: type[DeclarativeBase], rows: Sequence[Row]) -> None:
    """Insert ``rows`` (by column) at the end of the unit of work; until then nobody can read them.

    Raises:
        TypeError: the session is not one of ``Database``, and would never write them.
    """
    if not isinstance(session, AppendingSession):
        raise TypeError("Rows are appended in a session of service_kit.db.database.Database only.")
    session.gather(model, rows)


def given_values(row: DeclarativeBase) -> Row:
    """Return, by column, what was given to an object that is in no session."""
    return {name: value for name, value in vars(row).items() if name != "_sa_instance_state"}


def affected_rows(session: Session, statement: Update | Delete) -> int:
    """Execute the statement and return how many rows its conditions held for.

    The same on every engine: SQLAlchemy asks MySQL for rows found, not for those that look different now.
    """
    return cast("CursorResult[Any]", session.execute(statement)).rowcount


def insert_rows(session: Session, model: type[DeclarativeBase], rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert ``rows`` (by column) into the table of ``model`` in one statement; defaults hold as always.

    The session learns nothing of them, their ids included, and an error of the database comes at once.

    Raises:
        IntegrityError: one of them breaks a constraint. The transaction goes on without it, but on SQLite
            with those before it: give one row where that matters.
    """
    with session.no_autoflush:
        session.execute(insert(table_of(model)), rows)
