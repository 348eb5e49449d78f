"""Migrations can be killed anywhere and refuse a database that they do not know, on every engine."""

from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from service_kit.db import migrations
from service_kit.db.columns import BigId, ascii_key
from service_kit.db.database import new_metadata
from service_kit.process.cli import OperatorCommands
from sqlalchemy import Column, Integer, String, Table, text
from sqlalchemy.exc import DBAPIError

from tests.testkit.databases.migrations import (
    differences,
    put_at,
    revision_of,
    statements_that_write,
    upgrade_killed_at_each_step,
)

METADATA = new_metadata()
PARCELS = Table(
    "parcels",
    METADATA,
    Column("id", BigId, primary_key=True),
    Column("name", ascii_key(64), unique=True, nullable=False),
    Column("weight_g", Integer, index=True),
    Column("place", String(20), server_default=text("'shelf'"), nullable=False, index=True),
)

ENV = """
from service_kit.db.database import new_metadata
from service_kit.db.migrations import run_env

run_env(new_metadata())
"""
REVISION = """
import sqlalchemy as sa
from alembic import op
from service_kit.db.columns import BigId, ascii_key
from service_kit.db.migrations import add_column, create_index, create_table

revision = {revision!r}
down_revision = {down_revision!r}


def upgrade():
    {steps}
"""
PARCELS_STEPS = (
    "create_table('parcels', sa.Column('id', BigId, primary_key=True), "
    "sa.Column('name', ascii_key(64), nullable=False), sa.Column('weight_g', sa.Integer), "
    "sa.UniqueConstraint('name'))",
    "create_index('parcels', 'weight_g')",
)
PLACE_STEPS = (
    "add_column('parcels', sa.Column('place', sa.String(20), nullable=False, "
    "server_default=sa.text(\"'shelf'\")))",
    "create_index('parcels', 'place')",
)


def tree(folder: Path, **revisions: tuple[str, ...]) -> Path:
    """A tree of migrations with these revisions, one after the other, each of these steps."""
    (folder / "versions").mkdir(parents=True)
    (folder / "env.py").write_text(ENV)
    before = None
    for revision, steps in revisions.items():
        content = REVISION.format(revision=revision, down_revision=before, steps="\n    ".join(steps))
        (folder / "versions" / f"{revision}.py").write_text(content)
        before = revision
    return folder


def test_a_migration_that_is_killed_at_each_step_comes_to_its_end(database_url: str, tmp_path: Path) -> None:
    directory = tree(tmp_path / "tree", parcels=PARCELS_STEPS, place=PLACE_STEPS)

    kills = upgrade_killed_at_each_step(database_url, directory)

    assert kills >= len(PARCELS_STEPS) + len(PLACE_STEPS)
    assert differences(database_url, METADATA) == []
    assert statements_that_write(database_url, directory) == []


@pytest.mark.engines("mariadb", "mysql")
@pytest.mark.parametrize(
    ("done_well", "careless"),
    [
        (PARCELS_STEPS[:1], "op.create_index('ix_parcels_weight_g', 'parcels', ['weight_g'])"),
        (PARCELS_STEPS, "op.add_column('parcels', sa.Column('place', sa.String(20)))"),
        ((), "op.create_table('parcels', sa.Column('id', BigId, primary_key=True))"),
    ],
)
def test_a_step_that_does_not_look_first_is_found(
    database_url: str, tmp_path: Path, done_well: tuple[str, ...], careless: str
) -> None:
    directory = tree(tmp_path / "tree", parcels=(*done_well, careless))

    with pytest.raises(DBAPIError, match=r"(?i)exists|duplicate"):
        upgrade_killed_at_each_step(database_url, directory)


def test_a_database_at_the_last_revision_goes_on_from_there(database_url: str, tmp_path: Path) -> None:
    migrations.upgrade(database_url, tree(tmp_path / "before", parcels=PARCELS_STEPS))

    written = statements_that_write(
        database_url, tree(tmp_path / "after", parcels=PARCELS_STEPS, place=PLACE_STEPS)
    )

    assert [statement.split()[0] for statement in written] == ["ALTER", "CREATE", "UPDATE"]
    assert differences(database_url, METADATA) == []


def test_a_database_at_an_unknown_revision_is_refused_in_words(database_url: str, tmp_path: Path) -> None:
    directory = tree(tmp_path / "tree", parcels=PARCELS_STEPS, place=PLACE_STEPS)
    migrations.upgrade(database_url, directory, "parcels")
    put_at(database_url, "0007")

    @click.group(cls=OperatorCommands)
    def main() -> None:
        pass

    @main.command()
    def migrate() -> None:
        migrations.upgrade(database_url, directory)

    result = CliRunner().invoke(main, ["migrate"])

    assert (result.exit_code, type(result.exception)) == (1, SystemExit)
    assert "The database is at revision 0007, which this version does not know" in result.output
    assert "`make clean`" in result.output
    assert "`docker compose down --volumes`" in result.output
    assert "Traceback" not in result.output
    assert revision_of(database_url) == "0007"
    assert "place" in str(differences(database_url, METADATA))
