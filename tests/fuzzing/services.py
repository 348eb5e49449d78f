"""The four services on migrated SQLite databases, each with credentials that let every operation through."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import bank_simulator.app
import bank_simulator.config
import fraud_service.app
import fraud_service.config
import notification_service.app
import notification_service.config
from bank_simulator.commands.issue_cards import issue_cards
from bank_simulator.values.issued_cards import TEST_CARDS
from flask import Flask
from service_kit.db import migrations

from tests.testkit.payments.access import open_shop
from tests.testkit.payments.config import make_config
from tests.testkit.payments.world import world_on

TOKEN = "a-token-of-the-tests"
LOG_LEVEL = "ERROR"  # thousands of requests


@dataclass(frozen=True)
class Service:
    """A service in this process, and the headers of a caller who may do everything."""

    app: Flask
    headers: Mapping[str, str]


@contextmanager
def payment_service(folder: Path) -> Iterator[Service]:
    """Put payment-service together with a scripted bank, a merchant and its token."""
    config = make_config(f"sqlite:///{folder}/payments.db", log_level=LOG_LEVEL)
    migrations.upgrade(config.database_url, config.migrations_dir)
    with world_on(config) as world:
        yield Service(world.app, open_shop(world).bearer)


@contextmanager
def fraud(folder: Path) -> Iterator[Service]:
    """Put fraud-service together."""
    config = replace(
        fraud_service.config.Config.from_env(),
        database_url=f"sqlite:///{folder}/fraud.db",
        service_token=TOKEN,
        log_level=LOG_LEVEL,
    )
    migrations.upgrade(config.database_url, config.migrations_dir)
    yield Service(fraud_service.app.create_app(config), bearer(TOKEN))


@contextmanager
def notification(folder: Path) -> Iterator[Service]:
    """Put notification-service together; no worker runs, so nothing is delivered."""
    config = replace(
        notification_service.config.Config.from_env(),
        database_url=f"sqlite:///{folder}/notifications.db",
        outbox_dir=folder / "mail",
        worker_wake_address="127.0.0.1:9",
        service_token=TOKEN,
        log_level=LOG_LEVEL,
    )
    migrations.upgrade(config.database_url, config.migrations_dir)
    yield Service(notification_service.app.create_app(config), bearer(TOKEN))


@contextmanager
def bank(folder: Path) -> Iterator[Service]:
    """Put the bank-simulator together, with its test cards."""
    config = replace(
        bank_simulator.config.Config.from_env(),
        database_url=f"sqlite:///{folder}/bank.db",
        slow_answer_s=0.05,
        bank_token=TOKEN,
        log_level=LOG_LEVEL,
    )
    migrations.upgrade(config.database_url, config.migrations_dir)
    app = bank_simulator.app.create_app(config)
    with app.app_context():
        issue_cards(TEST_CARDS, config.card_key)
    yield Service(app, bearer(TOKEN))


def bearer(token: str) -> Mapping[str, str]:
    """Return the header that carries a token."""
    return {"Authorization": f"Bearer {token}"}
