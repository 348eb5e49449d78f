"""What the tests of this service share: a database that is migrated once, and a world around the service."""

from collections.abc import Iterator

import pytest
from payment_service.config import Config
from payment_service.testing import World, make_config, world_on
from service_kit import migrations


@pytest.fixture(scope="session")
def migrated_url(session_database_url: str) -> str:
    config = make_config(session_database_url)
    migrations.upgrade(session_database_url, config.migrations_dir)
    return session_database_url


@pytest.fixture
def config(migrated_url: str) -> Config:
    return make_config(migrated_url)


@pytest.fixture
def world(config: Config) -> Iterator[World]:
    with world_on(config) as world:
        yield world
