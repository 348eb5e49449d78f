"""What the tests of this service share: a database that is migrated once, and a world around the service."""

from collections.abc import Iterator

import pytest
from payment_service.config import Config
from payment_service.models.payment import PaymentEvent
from service_kit.db import migrations

from tests.testkit.payments.config import make_config
from tests.testkit.payments.event_schemas import wrong_with
from tests.testkit.payments.world import World, Worlds


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
    """Hold every event that a test leaves in its world against the published schemas."""
    # Asked for here, so that it ends after the look at it.
    world = request.getfixturevalue("world") if "world" in request.fixturenames else None
    yield
    if isinstance(world, World) and not request.node.get_closest_marker("forged_events"):
        assert [fault for event in world.all(PaymentEvent) for fault in wrong_with(event.body)] == []


@pytest.fixture(scope="session")
def worlds(migrated_url: str) -> Iterator[Worlds]:
    """One application for all tests that need none of their own."""
    worlds = Worlds(make_config(migrated_url))
    yield worlds
    worlds.close()


@pytest.fixture
def world(worlds: Worlds) -> Iterator[World]:
    with worlds.new() as world:
        yield world
