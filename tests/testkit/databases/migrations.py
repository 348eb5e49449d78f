"""What every tree of migrations must stand, for the tests of the services."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from service_kit.db import migrations
from sqlalchemy import Connection, Engine, MetaData, create_engine, event, inspect, text
from sqlalchemy.pool import NullPool

_WRITING = ("ALTER", "CREATE", "DELETE", "DROP", "INSERT", "UPDATE")


class Killed(BaseException):
    """Stands for the end of the process: no code of ours or of Alembic's handles it."""


def differences(database_url: str, metadata: MetaData) -> list[Any]:
    """In what the database and the models differ: types and server defaults are compared too."""
    with _connect(database_url) as connection:
        options = {"compare_type": True, "compare_server_default": True}
        return list(compare_metadata(MigrationContext.configure(connection, opts=options), metadata))


def revision_of(database_url: str) -> str | None:
    """The revision that the database is at."""
    with _connect(database_url) as connection:
        return MigrationContext.configure(connection).get_current_revision()


def put_at(database_url: str, revision: str) -> None:
    """Note another revision in a migrated database."""
    with _connect(database_url) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :revision"), {"revision": revision})


def upgrade_killed_at_each_step(database_url: str, directory: Path) -> int:
    """Migrate an empty database, killed after every single statement that writes; return how often it was.

    Each run dies one statement later than the one before, until something of it stayed: then the next ones
    die there. What stays differs: a kill undoes a whole revision on SQLite, and no DDL on MySQL.
    """
    survived, before = 1, _state(database_url)
    for kills in range(10_000):
        try:
            with _killed_after(survived):
                migrations.upgrade(database_url, directory)
        except Killed:
            after = _state(database_url)
            survived, before = (survived + 1 if after == before else 1), after
        else:
            return kills
    raise AssertionError("The migration never comes to its end.")


def statements_that_write(database_url: str, directory: Path) -> list[str]:
    """What an upgrade does to the database."""
    written: list[str] = []
    with _writing(lambda statement, _: written.append(statement)):
        migrations.upgrade(database_url, directory)
    return written


@contextmanager
def _connect(database_url: str) -> Iterator[Connection]:
    with create_engine(database_url, poolclass=NullPool).begin() as connection:
        yield connection


def _state(database_url: str) -> tuple[object, ...]:
    with _connect(database_url) as connection:
        revision = MigrationContext.configure(connection).get_current_revision()
        columns = inspect(connection).get_multi_columns()
        indexes = inspect(connection).get_multi_indexes()
    return revision, _names(columns), _names(indexes)


def _names(found: dict[Any, Any]) -> set[tuple[str, str]]:
    return {(table, part["name"]) for (_, table), parts in found.items() for part in parts}


@contextmanager
def _killed_after(survived: int) -> Iterator[None]:
    written: list[str] = []

    def kill(statement: str, cursor: Any) -> None:
        written.append(statement)
        if len(written) == survived:
            # As the server does when a process is gone. Closing is not enough: SQLite keeps the locks of a
            # closed connection for as long as this exception's traceback keeps its cursors.
            cursor.connection.rollback()
            raise Killed

    with _writing(kill):
        yield


@contextmanager
def _writing(do: Callable[[str, Any], None]) -> Iterator[None]:
    """Call ``do(statement, cursor)`` after each statement that writes, on whatever connection."""

    def look(_connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        if statement.lstrip().upper().startswith(_WRITING):
            do(statement, cursor)

    event.listen(Engine, "after_cursor_execute", look)
    try:
        yield
    finally:
        event.remove(Engine, "after_cursor_execute", look)
