"""Where the benchmark plays: the whole system on a durable server, a cheap shop, cards that may pay."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import Engine, create_engine

from run import spawn
from run.settings import RunSettings
from tests.load.access import LabClient, store_cards
from tests.load.measure import Meter
from tests.system.whole import WholeSystem
from tests.testkit.databases.engines import DatabaseServer, MariaDbServer, MySqlServer

SERVICES = ("payment-service", "fraud-service", "notification-service", "bank-simulator")
ENGINES: dict[str, type[DatabaseServer]] = {"mariadb": MariaDbServer, "mysql": MySqlServer}


@dataclass(frozen=True)
class Stage:
    """A running system; ``cards`` and ``stored_cards`` are files with a number or a pm_… id a line."""

    settings: RunSettings
    system: WholeSystem
    server: DatabaseServer
    payment_database: Engine
    notification_database: Engine
    meter: Meter
    cards: Path
    stored_cards: Path


@contextmanager
def stage(engine: str) -> Iterator[Stage]:
    """Start everything, and stop it when the block ends; the data is gone then."""
    with (
        TemporaryDirectory(prefix="caisse-bench-") as folder,
        ENGINES[engine](durable=True, buffer_pool_mb=256) as server,
    ):
        urls = {service: server.create_database(service.replace("-", "_")) for service in SERVICES}
        settings = RunSettings.on_free_ports(Path(folder) / "run")
        with WholeSystem(settings, database_urls=urls) as system, _shop(settings) as shop_pid:
            cards, stored_cards = Path(folder) / "cards.txt", Path(folder) / "stored-cards.txt"
            cards.write_text(_bench_cards())
            client = LabClient.read(settings.lab_client_file)
            ids = store_cards(cards.read_text().split(), client, system.gateway_url)
            stored_cards.write_text("\n".join(ids))
            database = create_engine(urls["payment-service"])
            others = {"database": server.pid or 0, "shop": shop_pid}
            meter = Meter(system, others, database)
            told = create_engine(urls["notification-service"])
            yield Stage(settings, system, server, database, told, meter, cards, stored_cards)


def _bench_cards() -> str:
    """Return the cards that `fraud-service seed` puts on the allow list, so that no limit stops them."""
    binaries = Path(sys.executable).parent
    listed = subprocess.run(
        [binaries / "bank-simulator", "cards", "--bench"], capture_output=True, text=True, check=True
    )
    return listed.stdout


@contextmanager
def _shop(settings: RunSettings) -> Iterator[int]:
    port = settings.store_manager.rpartition(":")[2]
    log = settings.logs / "shop.log"
    process = spawn.start((sys.executable, "-m", "tests.load.shop", "--port", port), {}, log)
    try:
        yield process.pid
    finally:
        process.terminate()
        process.wait()
