"""One whole system for all journeys: gateway, services, workers, bank, and a shop beside it."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from werkzeug.serving import make_server

from run.settings import RunSettings
from tests.stand_in_shop.shop import Shop, create_app
from tests.system.whole import PATIENT, WholeSystem

# All journeys together try some cards more often than one person would in ten minutes.
MANY_TRIES = {"VELOCITY_CARD_LIMIT": "1000", "VELOCITY_USER_LIMIT": "1000"}
# Long enough for somebody else to come meanwhile.
SLOW_BANK = {"BANK_SLOW_ANSWER_S": "20"}

# A quarter of the threads may wait: everybody who clicks with nineteen others.
TWENTY_CLICKS = {"WEB_THREADS": "80", "LIMIT_REPEAT_WAIT_S": "100"}

EXTRA = {
    "all": PATIENT,
    "fraud-service": MANY_TRIES,
    "bank-simulator": SLOW_BANK,
    "payment-service": TWENTY_CLICKS,
}
PATIENCE_S = 150.0


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave time for the start of the system, which comes upon whoever needs it first."""
    for item in items:
        if "running_system" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.timeout(900))


@dataclass(frozen=True)
class RunningSystem:
    """Where the journeys go, and what they may look into."""

    gateway_url: str
    payment_url: str
    bank_url: str
    shop: Shop
    mail: Path
    whole: WholeSystem


@pytest.fixture(scope="session")
def running_system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSystem]:
    """Start everything once, as ``make run`` does, with a shop that behaves as Store Manager was seen to."""
    settings = replace(
        RunSettings.on_free_ports(tmp_path_factory.mktemp("system") / "run"), orders_per_minute=200
    )
    shop = Shop(settings.gateway_url)
    port = int(settings.store_manager.rpartition(":")[2])
    server = make_server("127.0.0.1", port, create_app(shop), threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        with WholeSystem(settings, extra=EXTRA) as whole:
            bank_url = f"http://127.0.0.1:{settings.ports.bank}"
            yield RunningSystem(settings.gateway_url, whole.payment_url, bank_url, shop, settings.mail, whole)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
