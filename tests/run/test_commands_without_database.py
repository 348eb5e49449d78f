"""A command that only reads, typed where there is no database, says so and leaves nothing behind."""

from importlib.metadata import entry_points
from pathlib import Path

import pytest
from click.testing import CliRunner


@pytest.mark.parametrize(
    ("service", "words"),
    [
        ("payment-service", ("outbox", "list")),
        ("payment-service", ("verify-ledger", "--without-bank")),
        ("fraud-service", ("lists", "show")),
        ("notification-service", ("deliveries", "list")),
        ("bank-simulator", ("verify",)),
    ],
)
def test_the_database_that_was_looked_for_is_named_and_not_made(
    service: str, words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setenv("LOG_LEVEL", "CRITICAL")
    (script,) = entry_points(group="console_scripts", name=service)

    result = CliRunner().invoke(script.load(), words)

    assert result.exit_code == 1
    assert f"There is no database {tmp_path}/.run/{service}.db." in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_migration_makes_the_database_and_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setenv("LOG_LEVEL", "CRITICAL")
    (script,) = entry_points(group="console_scripts", name="fraud-service")

    results = [CliRunner().invoke(script.load(), words) for words in (("migrate",), ("lists", "show"))]

    assert [result.exit_code for result in results] == [0, 0], results
    assert (tmp_path / ".run" / "fraud-service.db").exists()
