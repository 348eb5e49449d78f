"""Alembic for every service: one tree of revisions each, run by that service's own database user."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command, context, op
from alembic.config import Config
from sqlalchemy import MetaData, create_engine, pool
from sqlalchemy.engine import URL, make_url
from sqlalchemy.schema import SchemaItem

from service_kit.db.engine import engine_options, prepare_engine


class UnknownRevision(Exception):
    """The database is at a revision that the tree does not have; nothing of it was changed."""

    def __init__(self, revisions: Iterable[str]) -> None:
        super().__init__(
            f"The database is at revision {', '.join(revisions)}, which this version does not know: another "
            "version made it, a later one or one from before the migrations were written anew. Nothing was "
            "changed. To start afresh, which deletes all data: `make clean` where `make run` was used, "
            "`docker compose down --volumes` where `make up` was; elsewhere drop the database that "
            "DATABASE_URL names, and create it again."
        )


def upgrade(database_url: str, migrations: Path, revision: str = "head") -> None:
    """Bring the database to ``revision``; running it again changes nothing.

    Raises:
        UnknownRevision: the database is at none of the tree's revisions.
    """
    command.upgrade(alembic_config(database_url, migrations), revision)


def alembic_config(database_url: str, migrations: Path) -> Config:
    config = Config()
    config.set_main_option("script_location", str(migrations))
    config.set_main_option("path_separator", "os")
    config.attributes["database_url"] = database_url
    return config


def run_env(metadata: MetaData) -> None:
    """Do the work of a tree's ``env.py``.

    DDL is not transactional on MySQL: revisions are made of ``migration_steps``, which can be run again.
    """
    url = context.config.attributes["database_url"]
    options = {
        name: value for name, value in engine_options(url).items() if not name.startswith(("pool", "max_"))
    }
    _make_folder(make_url(url))
    engine = create_engine(url, poolclass=pool.NullPool, **options)
    prepare_engine(engine)
    with engine.connect() as connection:
        context.configure(connection=connection, target_metadata=metadata, transaction_per_migration=True)
        if unknown := set(context.get_context().get_current_heads()) - _known_revisions():
            raise UnknownRevision(sorted(unknown))
        with context.begin_transaction():
            context.run_migrations()


def _make_folder(url: URL) -> None:
    """Make the folder of a SQLite file."""
    if url.get_backend_name() == "sqlite" and url.database:
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)


def _known_revisions() -> set[str]:
    return {script.revision for script in context.script.walk_revisions()}


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


def drop_column(table: str, name: str) -> None:
    """Drop the column if it is there."""
    if name in {found["name"] for found in sa.inspect(op.get_bind()).get_columns(table)}:
        op.drop_column(table, name)


def drop_index(table: str, name: str) -> None:
    """Drop the index if it is there."""
    if name in {index["name"] for index in sa.inspect(op.get_bind()).get_indexes(table)}:
        op.drop_index(name, table)


def add_column(table: str, column: sa.Column[Any]) -> None:
    """Add the column unless it is there; one that may not be null needs a server default for the old rows."""
    if column.name not in {found["name"] for found in sa.inspect(op.get_bind()).get_columns(table)}:
        op.add_column(table, column)
