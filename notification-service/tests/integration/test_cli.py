"""The operator's commands, on a real database."""

from collections.abc import Callable
from typing import Any

import pytest
from click.testing import CliRunner, Result
from notification_service.cli import main
from notification_service.config import Config
from werkzeug.test import TestResponse

PATH = "/internal/notifications"
Tell = Callable[..., TestResponse]
Run = Callable[..., Result]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, config: Config) -> Run:
    """Run a command as an operator would, with the settings of this test."""
    monkeypatch.setenv("DATABASE_URL", config.database_url)
    monkeypatch.setenv("WORKER_WAKE_ADDRESS", config.worker_wake_address)
    monkeypatch.setenv("LOG_LEVEL", "ERROR")
    return lambda *arguments: CliRunner().invoke(main, arguments)


@pytest.fixture
def dead_email(
    tell: Tell,
    body: dict[str, Any],
    smtp_config: Config,
    mail_server: Any,
    deliver_due: Callable[..., None],
    make_due: Callable[[], None],
) -> str:
    """Return the event of an e-mail that the mail server refused for good."""
    mail_server.answers = ["550 5.1.1 no such user"] * 5
    tell(body)
    for _ in range(5):
        deliver_due(smtp_config)
        make_due()
    return "evt_1"


@pytest.mark.parametrize(
    "command", [[], ["migrate"], ["worker"], ["deliveries"], ["deliveries", "list"], ["deliveries", "replay"]]
)
def test_every_command_explains_itself(run: Run, command: list[str]) -> None:
    result = run(*command, "--help")

    assert result.exit_code == 0
    assert "Usage:" in result.output


@pytest.mark.parametrize(
    ("name", "value"), [("DATABASE_URL", "nowhere"), ("LOG_LEVEL", "loud"), ("WORKER_WAKE_ADDRESS", "5911")]
)
def test_a_setting_that_cannot_be_read_is_named(
    run: Run, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)

    result = run("deliveries", "list")

    assert (result.exit_code, result.output.split()[:2]) == (1, ["Error:", name])


def test_migrating_twice_changes_nothing(run: Run) -> None:
    assert [run("migrate").exit_code, run("migrate").exit_code] == [0, 0]


def test_deliveries_are_listed_by_status(
    run: Run, tell: Tell, dead_email: str, changed: Callable[[str, Any], dict[str, Any]]
) -> None:
    tell(changed("event.id", "evt_waiting"))

    everything, dead, queued = (
        run("deliveries", "list").stdout,
        run("deliveries", "dead").stdout,
        run("deliveries", "list", "--status", "queued").stdout,
    )

    assert [line.split()[0] for line in everything.splitlines()] == ["evt_waiting", "evt_1"]
    assert [line.split()[0] for line in dead.splitlines()] == ["evt_1"]
    assert "550 5.1.1 no such user" in dead
    assert [line.split()[0] for line in queued.splitlines()] == ["evt_waiting"]


@pytest.mark.parametrize("by", ["event", "notification", "all"])
def test_a_replayed_dead_email_is_delivered(
    run: Run,
    dead_email: str,
    state: Callable[..., dict[str, Any]],
    smtp_config: Config,
    deliver_due: Callable[..., None],
    mail_server: Any,
    by: str,
) -> None:
    argument = {"event": dead_email, "notification": state()["notification_id"], "all": "--all"}[by]

    result = run("deliveries", "replay", argument)
    deliver_due(smtp_config)

    assert (result.exit_code, result.output) == (0, "1 put back into the queue\n")
    shown = state()
    assert shown["status"] == "sent"
    assert [attempt["number"] for attempt in shown["attempts"]] == [1, 2, 3, 4, 5, 1]
    assert len(mail_server.received) == 1


def test_a_replayed_email_has_all_its_tries_again(
    run: Run,
    dead_email: str,
    state: Callable[..., dict[str, Any]],
    smtp_config: Config,
    deliver_due: Callable[..., None],
    mail_server: Any,
) -> None:
    mail_server.answers = ["550 5.1.1 still no such user"]

    run("deliveries", "replay", dead_email)
    deliver_due(smtp_config)

    assert state()["status"] == "queued"


def test_only_dead_letters_are_replayed(run: Run, tell: Tell, body: dict[str, Any]) -> None:
    tell(body)

    queued, unknown, nothing, both = (
        run("deliveries", "replay", "evt_1"),
        run("deliveries", "replay", "evt_unknown"),
        run("deliveries", "replay"),
        run("deliveries", "replay", "--all", "evt_1"),
    )

    assert [queued.exit_code, unknown.exit_code, nothing.exit_code, both.exit_code] == [1, 1, 2, 2]


def test_a_wrong_setting_is_said_plainly(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMTP_URL", "mail.example")

    result = run("deliveries", "list")

    assert result.exit_code == 1
    assert result.output.startswith("Error: SMTP_URL cannot be used")
