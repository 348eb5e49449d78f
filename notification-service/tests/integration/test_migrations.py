"""Models and migrations agree, and a migration that was killed can be run again."""

from pathlib import Path

import pytest
from click.testing import CliRunner
from notification_service.cli import main
from notification_service.models import Base
from service_kit.db import migrations

from tests.testkit.databases.migrations import (
    differences,
    put_at,
    revision_of,
    statements_that_write,
    upgrade_killed_at_each_step,
)

MIGRATIONS = Path(__file__).parents[2] / "migrations"


def test_models_and_migrations_do_not_differ(database_url: str) -> None:
    assert differences(database_url, Base.metadata) != []

    migrations.upgrade(database_url, MIGRATIONS)

    assert differences(database_url, Base.metadata) == []


def test_a_migration_that_is_killed_at_each_step_comes_to_its_end(database_url: str) -> None:
    tables = Base.metadata.sorted_tables

    kills = upgrade_killed_at_each_step(database_url, MIGRATIONS)

    assert kills >= len(tables) + sum(len(table.indexes) for table in tables)
    assert differences(database_url, Base.metadata) == []
    # The last of the revisions that came before these: a database that has them is not touched.
    assert revision_of(database_url) == "0003_events_bring_what_is_told"
    assert statements_that_write(database_url, MIGRATIONS) == []


@pytest.mark.parametrize("revision", ["0001", "0002"])
def test_a_database_of_an_older_version_is_refused_in_words(database_url: str, revision: str) -> None:
    migrations.upgrade(database_url, MIGRATIONS)
    put_at(database_url, revision)

    result = CliRunner().invoke(main, ["migrate"], env={"DATABASE_URL": database_url})

    assert (result.exit_code, type(result.exception)) == (1, SystemExit)
    assert f"The database is at revision {revision}, which this version does not know" in result.output
    assert revision_of(database_url) == revision
