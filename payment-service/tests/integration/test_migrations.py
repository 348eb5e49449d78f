from pathlib import Path

import pytest
from alembic.script import ScriptDirectory
from click.testing import CliRunner
from payment_service.app import create_app
from payment_service.cli import main
from payment_service.commands.upkeep.give_positions import give_positions
from payment_service.commands.upkeep.seed_lab import seed_lab
from payment_service.controllers.request import EXTENSION
from payment_service.domain.positions import EVENTS
from payment_service.extensions import db
from payment_service.models.base import Base
from payment_service.models.merchant import Merchant
from payment_service.models.message import OutboxMessage
from payment_service.models.payment import PaymentEvent
from payment_service.models.position import EventPosition, Follower
from service_kit.clock import utc_now
from service_kit.db import migrations
from service_kit.db.rows import insert_rows
from sqlalchemy import create_engine, inspect, select, text
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from tests.testkit.databases.migrations import (
    differences,
    put_at,
    revision_of,
    statements_that_write,
    upgrade_killed_at_each_step,
)
from tests.testkit.payments.config import make_config


def test_a_migration_that_is_killed_at_each_step_comes_to_its_end(database_url: str) -> None:
    directory = make_config(database_url).migrations_dir
    tables = Base.metadata.sorted_tables

    kills = upgrade_killed_at_each_step(database_url, directory)

    assert kills >= len(tables) + sum(len(table.indexes) for table in tables)
    assert differences(database_url, Base.metadata) == []
    assert revision_of(database_url) == "0009_followers"
    assert statements_that_write(database_url, directory) == []


def test_models_and_migrations_do_not_differ(database_url: str) -> None:
    assert differences(database_url, Base.metadata) != []

    migrations.upgrade(database_url, make_config(database_url).migrations_dir)

    assert differences(database_url, Base.metadata) == []


def test_events_of_a_database_without_positions_get_theirs(database_url: str) -> None:
    config = make_config(database_url)
    migrations.upgrade(database_url, config.migrations_dir, "0068")
    app = create_app(config)
    with app.app_context():
        seed_lab(app.extensions[EXTENSION])

    migrations.upgrade(database_url, config.migrations_dir)

    with app.app_context():
        give_positions(EVENTS, app.extensions[EXTENSION])
        with db.reading() as session:
            placed = session.execute(select(EventPosition.position, EventPosition.row_id)).all()
            events = session.scalars(select(PaymentEvent.id).order_by(PaymentEvent.id)).all()
        db.engine.dispose()
    assert [tuple(place) for place in placed] == [(number, row) for number, row in enumerate(events, start=1)]
    assert len(events) == 2


def test_what_was_still_to_be_told_is_told_and_nothing_else_again(database_url: str) -> None:
    config = make_config(database_url)
    migrations.upgrade(database_url, config.migrations_dir, "0008_positions")
    app = create_app(config)
    now = utc_now()

    def write(session: Session) -> None:
        (merchant,) = session.scalars(select(Merchant.id))
        message = {"merchant_id": merchant, "payload": "{}", "next_attempt_at": now, "created_at": now}
        told = {"notifications": ("pending", "done", "dead"), "events": ("done", "done", "dead")}
        rows = [
            {**message, "queue": queue, "event_id": f"evt_{number}", "status": status, "attempts": 1}
            for queue, statuses in told.items()
            for number, status in enumerate(statuses, start=1)
        ]
        insert_rows(session, OutboxMessage, rows)

    with app.app_context():
        seed_lab(app.extensions[EXTENSION])
        give_positions(EVENTS, app.extensions[EXTENSION])
        db.in_transaction(write)

    migrations.upgrade(database_url, config.migrations_dir)

    with app.app_context():
        with db.reading() as session:
            followers = session.execute(select(Follower.name, Follower.position, Follower.tries)).all()
            messages = session.execute(
                select(OutboxMessage.queue, OutboxMessage.event_id, OutboxMessage.status).order_by(
                    OutboxMessage.id
                )
            ).all()
        db.engine.dispose()
    assert sorted(map(tuple, followers)) == [("events", 2, 0), ("fraud_outcomes", 2, 0)]
    assert [tuple(row) for row in messages] == [
        ("events", "evt_1", "pending"),
        ("events", "evt_2", "done"),
        ("events", "evt_3", "pending"),
    ]


@pytest.mark.parametrize("revision", ["0001", "0067"])
def test_a_database_of_an_older_version_is_refused_in_words(database_url: str, revision: str) -> None:
    migrations.upgrade(database_url, make_config(database_url).migrations_dir)
    put_at(database_url, revision)

    result = CliRunner().invoke(main, ["migrate"], env={"DATABASE_URL": database_url, "LOG_LEVEL": "ERROR"})

    assert (result.exit_code, type(result.exception)) == (1, SystemExit)
    assert f"The database is at revision {revision}, which this version does not know" in result.output
    assert "`make clean`" in result.output
    assert revision_of(database_url) == revision


def test_revisions_follow_one_another_in_the_order_of_their_files() -> None:
    directory = make_config("sqlite://").migrations_dir
    script = ScriptDirectory.from_config(migrations.alembic_config("sqlite://", directory))
    files = sorted(file.stem for file in (directory / "versions").glob("*.py"))

    assert [Path(one.path).stem for one in reversed(list(script.walk_revisions()))] == files


def test_migrate_and_seed_can_be_repeated(database_url: str) -> None:
    outputs = [
        CliRunner().invoke(main, [command], env={"DATABASE_URL": database_url, "LOG_LEVEL": "ERROR"})
        for command in ("migrate", "migrate", "seed", "seed")
    ]

    assert [result.exit_code for result in outputs] == [0, 0, 0, 0], [result.output for result in outputs]
    assert [result.output for result in outputs[2:]] == [
        "Seeded the lab's data.\n",
        "The lab's data is there already.\n",
    ]
    engine = create_engine(database_url, poolclass=NullPool)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT id, amount_minor FROM payments ORDER BY id")).all() == [
            (1, 199999),
            (2, 5950),
        ]
    assert "outbox_messages" in inspect(engine).get_table_names()
