"""One gateway for most tests, KrakenD or else the emulator, in front of two recording backends."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from gateway.launch import choose_gateway
from gateway.settings import Settings

from tests.testkit.gateway.backend import RecordingBackend
from tests.testkit.gateway.process import RunningGateway

PATIENCE = "100s"


@pytest.fixture(scope="session")
def _payment_service() -> Iterator[RecordingBackend]:
    with RecordingBackend() as backend:
        yield backend


@pytest.fixture(scope="session")
def _store_manager() -> Iterator[RecordingBackend]:
    with RecordingBackend() as backend:
        yield backend


@pytest.fixture
def payment_service(_payment_service: RecordingBackend) -> RecordingBackend:
    _payment_service.reset()
    return _payment_service


@pytest.fixture
def store_manager(_store_manager: RecordingBackend) -> RecordingBackend:
    _store_manager.reset()
    return _store_manager


@pytest.fixture(scope="session")
def settings(_payment_service: RecordingBackend, _store_manager: RecordingBackend) -> Settings:
    """Time-outs that a busy machine does not meet, and room for many orders."""
    return Settings(
        payment_service=_payment_service.url,
        store_manager=_store_manager.url,
        orders_per_minute=10_000,
        timeout=PATIENCE,
        provider_timeout=PATIENCE,
        slow_timeout=PATIENCE,
    )


@pytest.fixture(scope="session")
def gateway(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    with RunningGateway(settings, tmp_path_factory.mktemp("gateway")) as running:
        yield running


@pytest.fixture
def start_gateway(settings: Settings, tmp_path: Path) -> Iterator[Callable[..., RunningGateway]]:
    """Start one more gateway, with other settings and members of its file; it ends with the test."""
    with ExitStack() as stack:

        def start(members: Mapping[str, str] | None = None, **changes: Any) -> RunningGateway:
            return stack.enter_context(RunningGateway(replace(settings, **changes), tmp_path, members))

        yield start


def pytest_report_header() -> str:
    return f"gateway under test: {choose_gateway(Path('krakend.json')).description}"
