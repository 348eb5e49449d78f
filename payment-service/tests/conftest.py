"""What the tests of this service share: a database that is migrated once, and a world around the service."""

from collections.abc import Iterator

import pytest
from payment_service.config import Config
from payment_service.extensions import db
from payment_service.models.payment import PaymentEvent
from service_kit.db import migrations

from tests.testkit.payments.config import make_config
from tests.testkit.payments.event_schemas import wrong_with
from tests.testkit.payments.world import World, world_on


@pytest.fixture(scope="session")
def migrated_url(session_database_url: str) -> str:
    config = make_config(session_database_url)
    migrations.upgrade(session_database_url, config.migrations_dir)
    return session_database_url


@pytest.fixture
def config(migrated_url: str) -> Config:
    return make_config(migrated_url)


@pytest.fixture(autouse=True)
def events_fit_their_schemas(request: pytest.FixtureRequest) -> Iterator[None]:
    """Hold every event that a test left in its world against the published schemas."""
    yield
    world = request.node.funcargs.get("world")
    if not isinstance(world, World) or request.node.get_closest_marker("forged_events"):
        return
    try:
        wrong = [fault for event in world.all(PaymentEvent) for fault in wrong_with(event.body)]
    finally:
        with world.app.app_context():
            db.engine.dispose()
    assert wrong == []


@pytest.fixture
def world(config: Config) -> Iterator[World]:
    with world_on(config) as world:
        yield world
