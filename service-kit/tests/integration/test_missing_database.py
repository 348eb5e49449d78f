"""A SQLite file that is not there is named, and made by a migration only."""

from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from flask import Flask
from service_kit.db.database import Database
from service_kit.process.cli import OperatorCommands
from service_kit.web import standard_app
from sqlalchemy import text

pytestmark = pytest.mark.engines("sqlite")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "folder" / "service.db"


def make_app(file: Path) -> tuple[Flask, Database]:
    app, db = Flask("service"), Database()
    standard_app.begin(app, db, f"sqlite:///{file}", title="service", description="A service.")
    standard_app.finish(app, {}, budget_s=1.0)
    return app, db


def test_a_service_without_its_database_is_not_ready_and_makes_none(file: Path) -> None:
    app, _ = make_app(file)

    answer = app.test_client().get("/health/ready")

    assert (answer.status_code, answer.json and answer.json["code"]) == (503, "database_unavailable")
    assert not file.parent.exists()


def test_a_command_without_its_database_names_what_it_looked_for(file: Path) -> None:
    app, db = make_app(file)

    @click.group(cls=OperatorCommands)
    def main() -> None:
        pass

    @main.command("list")
    def list_() -> None:
        with app.app_context(), db.reading() as session:
            session.execute(text("SELECT 1"))

    result = CliRunner().invoke(main, ["list"])

    assert (result.exit_code, type(result.exception)) == (1, SystemExit)
    assert result.output == (
        f"Error: There is no database {file}. Is DATABASE_URL right? If it is new, `migrate` makes it.\n"
    )
    assert not file.parent.exists()
