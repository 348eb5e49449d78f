"""The migrations make exactly the tables of the models, and the indexes serve the counts."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from flask import Flask
from fraud_service.cli import main
from fraud_service.domain.gathering import GATHERED
from fraud_service.extensions import db
from fraud_service.models import Base
from service_kit.db import migrations
from sqlalchemy import ClauseElement
from werkzeug.test import TestResponse

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
    assert revision_of(database_url) == "0003_card_testing"
    assert statements_that_write(database_url, MIGRATIONS) == []


@pytest.mark.parametrize("revision", ["0001", "0002"])
def test_a_database_of_an_older_version_is_refused_in_words(database_url: str, revision: str) -> None:
    migrations.upgrade(database_url, MIGRATIONS)
    put_at(database_url, revision)

    result = CliRunner().invoke(main, ["migrate"], env={"DATABASE_URL": database_url})

    assert (result.exit_code, type(result.exception)) == (1, SystemExit)
    assert f"The database is at revision {revision}, which this version does not know" in result.output
    assert revision_of(database_url) == revision


@pytest.mark.engines("sqlite")
def test_each_count_reads_one_covering_index_and_the_lists_are_searched_by_index(
    app: Flask, ask: Callable[..., TestResponse]
) -> None:
    ask(client_ip="203.0.113.7")
    with app.app_context():
        plan = _plan(GATHERED)

    for index in ("card_tries", "user", "ip_tries", "bin_tries"):
        assert f"USING COVERING INDEX ix_assessments_{index} " in plan
    assert "SCAN assessments" not in plan
    assert "SCAN list_entries" not in plan


def _plan(statement: ClauseElement) -> str:
    compiled = statement.compile(db.engine)
    parameters = dict.fromkeys(compiled.params, 1)
    with db.engine.connect() as connection:
        rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {compiled}", _ordered(compiled, parameters))
        return "\n".join(row[3] for row in rows)


def _ordered(compiled: Any, parameters: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(parameters[name] for name in compiled.positiontup)
