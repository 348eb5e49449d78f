"""Models and migrations agree, and a migration that was killed can be run again."""

from notification_service.config import MIGRATIONS
from notification_service.models import Base
from service_kit import migrations
from service_kit.testing.migrations import (
    differences,
    revision_of,
    statements_that_write,
    upgrade_killed_at_each_step,
)


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
    assert revision_of(database_url) == "0003"
    assert statements_that_write(database_url, MIGRATIONS) == []
