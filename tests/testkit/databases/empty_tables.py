"""Makes a migrated database as good as new: much faster than migrating one for each test."""

from sqlalchemy import MetaData, create_engine, delete
from sqlalchemy.pool import NullPool


def empty_tables(database_url: str, metadata: MetaData) -> None:
    """Delete every row of the tables of ``metadata``; numbering goes on where it was."""
    with create_engine(database_url, poolclass=NullPool).begin() as connection:
        if connection.dialect.name != "sqlite":  # which looks at foreign keys only where it was told to
            # Rows of one table may point to each other, and the server checks them one by one.
            connection.exec_driver_sql("SET SESSION foreign_key_checks = 0")
        for table in metadata.sorted_tables:
            connection.execute(delete(table))
