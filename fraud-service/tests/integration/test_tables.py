"""The migrations make exactly the tables of the models, and the indexes serve the counts."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from flask import Flask
from fraud_service.domain.gathering import GATHERED
from fraud_service.extensions import db
from fraud_service.models import Base
from service_kit import migrations
from service_kit.database import engine_options, prepare_engine
from sqlalchemy import ClauseElement, Engine, create_engine, inspect, text
from werkzeug.test import TestResponse

MIGRATIONS = Path(__file__).parents[2] / "migrations"


@pytest.fixture
def engine(database_url: str) -> Any:
    engine = create_engine(database_url, **engine_options(database_url))
    prepare_engine(engine)
    yield engine
    engine.dispose()


def differences(engine: Engine) -> Any:
    with engine.connect() as connection:
        return compare_metadata(MigrationContext.configure(connection), Base.metadata)


def test_models_and_migrations_do_not_differ(engine: Engine, database_url: str) -> None:
    assert differences(engine) != []

    migrations.upgrade(database_url, MIGRATIONS)

    assert differences(engine) == []


def test_a_migration_goes_on_where_a_kill_left_it(engine: Engine, database_url: str) -> None:
    migrations.upgrade(database_url, MIGRATIONS)
    with engine.begin() as connection:
        connection.execute(text("DROP INDEX ix_assessments_user" + _on_table(engine)))
        connection.execute(text("DELETE FROM alembic_version"))

    migrations.upgrade(database_url, MIGRATIONS)

    assert differences(engine) == []
    assert "ix_assessments_user" in {index["name"] for index in inspect(engine).get_indexes("assessments")}


def _on_table(engine: Engine) -> str:
    return "" if engine.dialect.name == "sqlite" else " ON assessments"


@pytest.mark.engines("sqlite")
def test_each_count_reads_one_covering_index_and_the_lists_are_searched_by_index(
    app: Flask, ask: Callable[..., TestResponse]
) -> None:
    ask(client_ip="203.0.113.7")
    with app.app_context():
        plan = _plan(GATHERED)

    for index in ("card", "user", "ip"):
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
