from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from bank_simulator.cli import main
from bank_simulator.commands.issue_cards import issue_cards
from bank_simulator.config import MIGRATIONS
from bank_simulator.extensions import db
from bank_simulator.models import Base, Card
from bank_simulator.values.test_cards import TEST_CARDS, TestCard
from bank_simulator.values.vocabulary import Bank
from click.testing import CliRunner
from flask import Flask
from service_kit import migrations
from sqlalchemy import create_engine, func, inspect, select, text
from sqlalchemy.pool import NullPool

NEWEST = max(file.name[:4] for file in (MIGRATIONS / "versions").glob("*.py"))


def test_models_and_migrations_are_the_same(database_url: str) -> None:
    migrations.upgrade(database_url, MIGRATIONS)

    with create_engine(database_url, poolclass=NullPool).connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        assert compare_metadata(context, Base.metadata) == []


def test_a_migration_that_was_killed_before_it_was_noted_runs_again(database_url: str) -> None:
    migrations.upgrade(database_url, MIGRATIONS)
    engine = create_engine(database_url, poolclass=NullPool)
    for revision in (f"{number:04d}" for number in range(1, int(NEWEST))):
        with engine.begin() as connection:
            connection.execute(
                text("UPDATE alembic_version SET version_num = :revision"), {"revision": revision}
            )

        migrations.upgrade(database_url, MIGRATIONS)

        with engine.connect() as connection:
            assert connection.scalar(text("SELECT version_num FROM alembic_version")) == NEWEST


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
