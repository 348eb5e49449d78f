from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from bank_simulator.app import create_app
from bank_simulator.commands.issue_cards import issue_cards
from bank_simulator.config import Config
from bank_simulator.extensions import db
from bank_simulator.models import Base
from bank_simulator.queries.verify_books import verify_books
from bank_simulator.values.issued_cards import TEST_CARDS
from flask import Flask
from service_kit.db import migrations

from tests.testkit.bank import BankClient, serving
from tests.testkit.databases.empty_tables import empty_tables
from tests.testkit.databases.plugin import DatabaseUrlFactory
from tests.testkit.fake_clock import FakeClock

MIGRATIONS = Path(__file__).parents[1] / "migrations"


@pytest.fixture(autouse=True)
def clock() -> Iterator[FakeClock]:
    """Whatever waits in a simulator of this process is over when a test says so, however long that takes."""
    clock = FakeClock()
    with clock.running():
        yield clock


@pytest.fixture(scope="session")
def migrated_url(database_url_factory: DatabaseUrlFactory) -> str:
    url = database_url_factory("bank")
    migrations.upgrade(url, MIGRATIONS)
    return url


def build(database_url: str) -> Flask:
    config = replace(Config.from_env(), database_url=database_url)
    app = create_app(config)
    with app.app_context():
        issue_cards(TEST_CARDS, config.card_key)
    return app


def dispose(app: Flask) -> None:
    with app.app_context():
        db.engine.dispose()


@pytest.fixture(scope="module")
def shared_app(module_database_url: str) -> Iterator[Flask]:
    """One application for the tests of a module; they keep apart by ids and merchants of their own."""
    migrations.upgrade(module_database_url, MIGRATIONS)
    app = build(module_database_url)
    yield app
    dispose(app)


@pytest.fixture(scope="module")
def shared_address(shared_app: Flask) -> Iterator[str]:
    with serving(shared_app) as address:
        yield address


@pytest.fixture
def bank(shared_app: Flask, shared_address: str) -> Iterator[BankClient]:
    """A merchant at the running simulator; whatever the test did, the books must add up afterwards."""
    yield BankClient(shared_address)
    with shared_app.app_context():
        assert verify_books().differences == []


@pytest.fixture
def own_app(migrated_url: str) -> Iterator[Flask]:
    """An application with a database for one test alone."""
    empty_tables(migrated_url, Base.metadata)
    app = build(migrated_url)
    yield app
    dispose(app)


@pytest.fixture
def own_bank(own_app: Flask) -> Iterator[BankClient]:
    with serving(own_app) as address:
        yield BankClient(address)
