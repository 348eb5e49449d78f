"""Steps of a revision that can be run again: MySQL commits each DDL statement by itself, so a kill between
two statements leaves the first one done and the revision unrecorded."""

from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.schema import SchemaItem
from sqlalchemy.types import TypeEngine


def create_table(name: str, *items: SchemaItem) -> None:
    """Create the table unless it is there."""
    if not sa.inspect(op.get_bind()).has_table(name):
        op.create_table(name, *items)


def create_index(name: str, table: str, columns: Sequence[str], *, unique: bool = False) -> None:
    """Create the index unless it is there."""
    existing = {index["name"] for index in sa.inspect(op.get_bind()).get_indexes(table)}
    if name not in existing:
        op.create_index(name, table, list(columns), unique=unique)


def drop_index(name: str, table: str) -> None:
    """Drop the index if it is there."""
    existing = {index["name"] for index in sa.inspect(op.get_bind()).get_indexes(table)}
    if name in existing:
        op.drop_index(name, table_name=table)


def add_column(table: str, column: sa.Column[Any]) -> None:
    """Add the column unless it is there; one that may not be null needs a server default for the old rows."""
    existing = {found["name"] for found in sa.inspect(op.get_bind()).get_columns(table)}
    if column.name not in existing:
        op.add_column(table, column)


def add_columns(table: str, *columns: sa.Column[Any]) -> None:
    """Add those of the columns that are not there yet; a kill between two of them changes nothing."""
    for column in columns:
        add_column(table, column)


def drop_columns(table: str, *names: str) -> None:
    """Drop those of the columns that are there."""
    existing = {found["name"] for found in sa.inspect(op.get_bind()).get_columns(table)}
    for name in names:
        if name in existing:
            op.drop_column(table, name)


def change_type(table: str, column: str, new: TypeEngine[Any], *, nullable: bool) -> None:
    """Change a column without a default to a type, length or collation; done again it changes nothing.

    SQLite stores any text in any column and compares it byte for byte: nothing is to be done there.
    """
    if op.get_bind().dialect.name != "sqlite":
        op.alter_column(table, column, type_=new, existing_nullable=nullable)


def in_batches(table: str, do: Callable[[sa.Connection, int, int], None], *, size: int = 1000) -> None:
    """Run ``do(connection, first_id, last_id)`` over all ids of a table, each batch a transaction of its own.

    A kill leaves whole batches done, and the revision begins anew: ``do`` passes over what is done.
    """
    highest = sa.select(sa.func.max(sa.column("id", sa.BigInteger))).select_from(sa.table(table))
    # A second connection: Alembic's own transaction ends with the revision, and must hold nothing meanwhile.
    engine = op.get_bind().engine.execution_options(begin_immediate=True)
    with op.get_context().autocommit_block():
        with engine.connect() as connection:
            last_id = connection.scalar(highest) or 0
        for first_id in range(1, last_id + 1, size):
            with engine.begin() as connection:
                do(connection, first_id, first_id + size - 1)
