"""A database that hangs: every surface says 503 within the request's budget, and takes nothing."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import Any, cast

import pytest
from flask import Flask
from payment_service.app import create_app
from payment_service.config import Config
from payment_service.extensions import db
from payment_service.models.payment import Payment
from service_kit.db.database import DatabaseUnavailable
from sqlalchemy import func, make_url, select

from tests.testkit.databases.plugin import EngineServers
from tests.testkit.payments.cards import CARD
from tests.testkit.payments.client import Client
from tests.testkit.payments.config import PATIENT
from tests.testkit.suspended import suspended

pytestmark = pytest.mark.engines("mariadb", "mysql")
BUDGET_S = 2.0
# Less than the ten seconds of the database's own time-outs, and far more than a busy machine adds to two.
IN_TIME_S = 7.0
ORDER = {"user_id": 1, "order_id": 1, "total_amount": 3999.98}


@pytest.fixture
def app(config: Config) -> Iterator[Flask]:
    """The service with the database's time-outs of production and short budgets."""
    url = make_url(config.database_url).difference_update_query(
        ["connect_timeout", "read_timeout", "write_timeout"]
    )
    limits = replace(PATIENT, request_s=BUDGET_S, processing_s=BUDGET_S)
    app = create_app(replace(config, database_url=url.render_as_string(hide_password=False), limits=limits))
    yield app
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def hanging(database_engine: str, engine_servers: EngineServers) -> Iterator[ExitStack]:
    """Enter it, and the server hangs until the test ends or closes it."""
    pid = engine_servers.get(database_engine).pid
    assert pid is not None
    with ExitStack() as held:
        held.enter_context(suspended(pid))
        yield held


def payments(app: Flask) -> int:
    deadline_s = time.monotonic() + 60
    while True:
        try:
            with app.app_context(), db.reading() as session:
                return session.scalar(select(func.count()).select_from(Payment)) or 0
        except DatabaseUnavailable:
            assert time.monotonic() < deadline_s


@pytest.fixture
def before(app: Flask) -> int:
    """How many payments there were; it also fills the pool with a connection, which will hang."""
    return payments(app)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/payments", ORDER),
        ("GET", "/payments/1", None),
        ("POST", "/payments/process/1", CARD),
    ],
)
def test_a_database_that_hangs_is_503_within_the_budget(
    app: Flask, before: int, hanging: ExitStack, method: str, path: str, body: Any
) -> None:
    began_s = time.monotonic()
    answer = cast(Client, app.test_client()).open(path, method=method, json=body)
    took_s = time.monotonic() - began_s

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
    assert answer.json["code"] == "database_unavailable"
    assert took_s < IN_TIME_S
    hanging.close()
    assert payments(app) == before
