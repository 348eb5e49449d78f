"""The service on a real, migrated database, with a clock that the test moves."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from flask import Flask
from flask.testing import FlaskClient
from fraud_service.app import create_app
from fraud_service.cli import main
from fraud_service.commands.put_on_list import PutOnList, put_on_list
from fraud_service.config import Config
from fraud_service.extensions import db
from fraud_service.models import Assessment, ListEntry, Outcome
from fraud_service.values.vocabulary import ListKind, Subject
from service_kit.db import migrations
from service_kit.process.config import Profile
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from tests.testkit.databases.plugin import DatabaseUrlFactory
from tests.testkit.fake_clock import FakeClock

MIGRATIONS = Path(__file__).parents[2] / "migrations"
TOKEN = "a-token-of-the-tests"
START = datetime(2026, 11, 21, 9, 0, 0, 123456, tzinfo=UTC)
_numbers = count(1)


class MovableClock:
    """Stands for ``datetime`` in the kit's clock, and still until it is moved."""

    def __init__(self) -> None:
        self.present = START

    def now(self, zone: tzinfo) -> datetime:
        return self.present.astimezone(zone)

    def move(self, **by: float) -> None:
        self.present += timedelta(**by)


@pytest.fixture(autouse=True)
def deadlines_stand_still() -> Iterator[None]:
    """A machine that is busy lets no request of many at once run out of time."""
    with FakeClock().running():
        yield


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> MovableClock:
    clock = MovableClock()
    monkeypatch.setattr("service_kit.clock.datetime", clock)
    return clock


@pytest.fixture(scope="session")
def migrated_url(database_url_factory: DatabaseUrlFactory) -> str:
    url = database_url_factory("fraud")
    migrations.upgrade(url, MIGRATIONS)
    return url


@pytest.fixture
def config(migrated_url: str) -> Config:
    return replace(
        Config.from_env(),
        profile=Profile.LAB,
        database_url=migrated_url,
        migrations_dir=MIGRATIONS,
        service_token=TOKEN,
    )


@pytest.fixture
def app(config: Config, clock: MovableClock) -> Iterator[Flask]:
    """The service with empty tables."""
    app = create_app(config)
    with app.app_context():
        db.in_transaction(_empty_tables)
    yield app
    with app.app_context():
        db.engine.dispose()


def _empty_tables(session: Session) -> None:
    session.execute(delete(Assessment))
    session.execute(delete(ListEntry))
    session.execute(delete(Outcome))


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A caller that knows the token."""
    client = app.test_client()
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {TOKEN}"
    return client


@pytest.fixture
def make_body() -> Callable[..., dict[str, Any]]:
    """Return a request for a new attempt; keywords change members, ``bin`` and ``fingerprint`` the card."""

    def make(**changes: Any) -> dict[str, Any]:
        card = {
            "fingerprint": changes.pop("fingerprint", "5f" * 32),
            "bin": changes.pop("bin", "400000"),
            "last4": "0002",
        }
        return {
            "attempt_id": f"att_{next(_numbers)}",
            "payment_id": "pay_1",
            "merchant_id": "mer_1",
            "amount_minor": 399998,
            "currency": "MAD",
            "card": card,
            "user_id": "1",
            "order_id": "1",
            "client_ip": None,
            "has_cvv": True,
            **changes,
        }

    return make


@pytest.fixture
def ask(client: FlaskClient, make_body: Callable[..., dict[str, Any]]) -> Callable[..., TestResponse]:
    """Ask about a new attempt; the keywords are those of ``make_body``."""

    def post(**changes: Any) -> TestResponse:
        return client.post("/internal/assessments", json=make_body(**changes))

    return post


@pytest.fixture
def decide(ask: Callable[..., TestResponse]) -> Callable[..., str]:
    """Ask about a new attempt and return the decision."""

    def post(**changes: Any) -> str:
        response = ask(**changes)
        assert response.status_code == 201, response.text
        document: Any = response.json
        return str(document["decision"])

    return post


@pytest.fixture
def count_assessments(app: Flask) -> Callable[[], int]:
    """Count the stored assessments."""

    def count_rows() -> int:
        with app.app_context(), db.reading() as session:
            return session.scalar(select(func.count()).select_from(Assessment)) or 0

    return count_rows


@pytest.fixture
def list_add(app: Flask, clock: MovableClock) -> Callable[..., None]:
    """Put a value on a list now; ``lasts_s`` limits it."""

    def add(kind: str, subject: str, value: str, lasts_s: int | None = None) -> None:
        expires_at = None if lasts_s is None else clock.present + timedelta(seconds=lasts_s)
        with app.app_context():
            put_on_list(
                PutOnList(
                    ListKind(kind), Subject(subject), value, "a test", "tests", clock.present, expires_at
                )
            )

    return add


@pytest.fixture
def cli(config: Config, app: Flask) -> Callable[..., Result]:
    """Run the command line on the test's database; ``expect`` is the exit status."""

    def run(*arguments: str, expect: int = 0, env: dict[str, str] | None = None) -> Result:
        settings = {"DATABASE_URL": config.database_url, "MIGRATIONS_DIR": str(MIGRATIONS), **(env or {})}
        result = CliRunner().invoke(main, arguments, env=settings)
        assert result.exit_code == expect, result.output
        return result

    return run
