"""The steps of a revision; each looks first whether it was done.

MySQL commits each DDL statement by itself: a kill leaves the steps before it done, and the revision, which is
not noted yet, begins anew. So no step may send two statements.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.schema import SchemaItem


def create_table(name: str, *items: SchemaItem) -> None:
    """Create the table unless it is there; ``new_metadata`` names its constraints, as it does for the models.

    An index is a step of its own: never a ``Column(index=True)``.
    """
    if not sa.inspect(op.get_bind()).has_table(name):
        op.create_table(name, *items)


def create_index(table: str, *columns: str, unique: bool = False, name: str | None = None) -> None:
    """Create the index unless it is there; without a name it gets that of the models."""
    name = name or f"ix_{table}_{'_'.join(columns)}"
    if name not in {index["name"] for index in sa.inspect(op.get_bind()).get_indexes(table)}:
        op.create_index(name, table, columns, unique=unique)


def add_column(table: str, column: sa.Column[Any]) -> None:
    """Add the column unless it is there; one that may not be null needs a server default for the old rows."""
    if column.name not in {found["name"] for found in sa.inspect(op.get_bind()).get_columns(table)}:
        op.add_column(table, column)
