"""Makes a migrated database as good as new: much faster than migrating one for each test."""

from sqlalchemy import MetaData, create_engine, delete
from sqlalchemy.pool import NullPool


def empty_tables(database_url: str, metadata: MetaData) -> None:
    """Delete every row of the tables of ``metadata``; numbering goes on where it was."""
    with create_engine(database_url, poolclass=NullPool).begin() as connection:
        # Whatever points to a row goes before it.
        for table in reversed(metadata.sorted_tables):
            connection.execute(delete(table))
