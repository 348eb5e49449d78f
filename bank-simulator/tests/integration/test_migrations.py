from pathlib import Path

import pytest
from bank_simulator.cli import main
from bank_simulator.commands.issue_cards import issue_cards
from bank_simulator.extensions import db
from bank_simulator.models import Base, Card
from bank_simulator.values.issued_cards import TEST_CARDS, TestCard
from bank_simulator.values.vocabulary import Bank
from click.testing import CliRunner
from flask import Flask
from service_kit.db import migrations
from sqlalchemy import create_engine, func, inspect, select
from sqlalchemy.pool import NullPool

from tests.testkit.databases.migrations import (
    differences,
    put_at,
    revision_of,
    statements_that_write,
    upgrade_killed_at_each_step,
)

MIGRATIONS = Path(__file__).parents[2] / "migrations"


def test_models_and_migrations_are_the_same(database_url: str) -> None:
    assert differences(database_url, Base.metadata) != []

    migrations.upgrade(database_url, MIGRATIONS)

    assert differences(database_url, Base.metadata) == []


def test_a_migration_that_is_killed_at_each_step_comes_to_its_end(database_url: str) -> None:
    tables = Base.metadata.sorted_tables

    kills = upgrade_killed_at_each_step(database_url, MIGRATIONS)

    assert kills >= len(tables) + sum(len(table.indexes) for table in tables)
    assert differences(database_url, Base.metadata) == []
    # The last of the revisions that came before these: a database that has them is not touched.
    assert revision_of(database_url) == "0015"
    assert statements_that_write(database_url, MIGRATIONS) == []


@pytest.mark.parametrize("revision", ["0001", "0014"])
def test_a_database_of_an_older_version_is_refused_in_words(database_url: str, revision: str) -> None:
    migrations.upgrade(database_url, MIGRATIONS)
    put_at(database_url, revision)

    result = CliRunner().invoke(main, ["migrate"], env={"DATABASE_URL": database_url})

    assert (result.exit_code, type(result.exception)) == (1, SystemExit)
    assert f"The database is at revision {revision}, which this version does not know" in result.output
    assert revision_of(database_url) == revision


def test_migrate_and_seed_can_be_repeated(database_url: str) -> None:
    results = [
        CliRunner().invoke(main, [command], env={"DATABASE_URL": database_url})
        for command in ("migrate", "migrate", "seed", "seed")
    ]

    assert [result.exit_code for result in results] == [0] * 4
    assert [result.output for result in results[2:]] == [
        f"{len(TEST_CARDS) + 1000} test cards are issued.\n"
    ] * 2
    engine = create_engine(database_url, poolclass=NullPool)
    assert "cards" in inspect(engine).get_table_names()


def test_seeding_brings_a_changed_card_up_to_date_and_keeps_others(own_app: Flask) -> None:
    changed = TestCard(TEST_CARDS[1].number, Bank.CIH, "approved", opening_minor=None, cvv="999")

    with own_app.app_context():
        issue_cards([changed], "another-key")
        with db.reading() as session:
            count = session.scalar(select(func.count()).select_from(Card))
            cvv_hash = session.scalar(select(Card.cvv_hash).where(Card.number == changed.number))
    assert count == len(TEST_CARDS)
    assert cvv_hash is not None
    assert len(cvv_hash) == 64
    assert cvv_hash != "999"
