"""Runs the benchmark's scenarios on one system, one after the other, and writes what they showed."""

import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click
import psutil
from rich.console import Console
from service_kit.testing.engines import DatabaseServer, MariaDbServer, MySqlServer
from sqlalchemy import create_engine

from run import spawn
from run.demo_stage import on_free_ports
from run.settings import CHECKOUT, RunSettings
from tests.load.measure import Meter, oldest_outbox_row_s
from tests.system.whole import WholeSystem

SERVICES = ("payment-service", "fraud-service", "notification-service", "bank-simulator")
ENGINES: dict[str, type[DatabaseServer]] = {"mariadb": MariaDbServer, "mysql": MySqlServer}
console = Console(highlight=False)


@dataclass(frozen=True)
class Scenario:
    """A load: closed loop with ``users``, or open loop at ``rate`` payments a second."""

    name: str
    seconds: float
    users: int = 4
    rate: float | None = None


@click.command()
@click.option("--engine", type=click.Choice(sorted(ENGINES)), default="mariadb", show_default=True)
@click.option("--closed-seconds", default=60.0, show_default=True, help="Closed loop, as fast as it goes.")
@click.option("--held-seconds", default=180.0, show_default=True, help="Open loop at --held-rate.")
@click.option("--held-rate", default=35.0, show_default=True)
@click.option("--calm-seconds", default=60.0, show_default=True, help="Open loop at 15/s.")
@click.option("--users", default=8, show_default=True, help="Users of the closed loop.")
@click.option("--out", type=click.Path(path_type=Path), default=Path(".cache/bench.json"), show_default=True)
def main(
    engine: str,
    closed_seconds: float,
    held_seconds: float,
    held_rate: float,
    calm_seconds: float,
    users: int,
    out: Path,
) -> None:
    """Measure full payments a second through the gateway, everything on, on a durable database server.

    Every process runs on this machine, the load generator too. A scenario of 0 seconds is left out.
    """
    scenarios = [
        Scenario("warm-up", 10, users=4),
        Scenario(f"open loop, {held_rate:g}/s", held_seconds, rate=held_rate),
        Scenario("open loop, 15/s", calm_seconds, rate=15),
        Scenario(f"closed loop, {users} users", closed_seconds, users=users),
    ]
    with (
        TemporaryDirectory(prefix="caisse-bench-") as folder,
        ENGINES[engine](durable=True, buffer_pool_mb=256) as server,
    ):
        results = _measure(Path(folder), server, [scenario for scenario in scenarios if scenario.seconds])
    report = {"machine": _machine(), "engine": engine, "scenarios": results}
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(report, indent=2))
    console.print(f"\nWritten to {out}")


def _measure(folder: Path, server: DatabaseServer, scenarios: list[Scenario]) -> list[dict[str, Any]]:
    urls = {service: server.create_database(service.replace("-", "_")) for service in SERVICES}
    settings = on_free_ports(folder / "run")
    cards = folder / "cards.txt"
    with WholeSystem(settings, database_urls=urls) as system, _shop(settings) as shop_pid:
        _prepare_cards(cards, urls)
        others = {"database": server.pid or 0, "shop": shop_pid}
        meter = Meter(system, others, create_engine(urls["payment-service"]))
        return [_run(scenario, system, meter, urls, cards) for scenario in scenarios]


def _run(
    scenario: Scenario, system: WholeSystem, meter: Meter, urls: dict[str, str], cards: Path
) -> dict[str, Any]:
    outbox = create_engine(urls["payment-service"])
    out = system.settings.run_dir / "generated.json"
    options = {"--host": system.gateway_url, "--cards": cards, "--seconds": scenario.seconds, "--out": out}
    options |= {"--rate": scenario.rate} if scenario.rate else {"--users": scenario.users}
    words = [str(word) for option in options.items() for word in option]
    before = meter.read()
    generator = subprocess.Popen([sys.executable, "-m", "tests.load.generator", *words], cwd=CHECKOUT)
    oldest_s = 0.0
    with console.status(f"{scenario.name}, {scenario.seconds:g} s"):
        while generator.poll() is None:
            oldest_s = max(oldest_s, oldest_outbox_row_s(outbox))
            time.sleep(1)
    if generator.returncode:
        raise click.ClickException(f"The load generator failed (exit code {generator.returncode}).")
    after = meter.read()
    result: dict[str, Any] = {
        "scenario": scenario.name,
        "seconds": scenario.seconds,
        **json.loads(out.read_text()),
    }
    result |= before.until(after, max(1, result["payments"]))
    result["oldest_outbox_row_s"] = {
        "highest": round(oldest_s, 2),
        "at_end": round(oldest_outbox_row_s(outbox), 2),
    }
    result["memory_mib"] = round(meter.memory_mib(system.names))
    _show(result)
    return result


def _show(result: dict[str, Any]) -> None:
    times = ", ".join(f"{name} {ms:.0f} ms" for name, ms in result["ms"].items() if ms is not None)
    cpu = ", ".join(f"{name} {ms}" for name, ms in result["cpu_ms_per_payment"].items())
    console.print(
        f"[bold]{result['scenario']}[/]: {result['payments_per_second']:.1f} payments/s, {times}, "
        f"{result['errors']} errors\n"
        f"  outbox at most {result['oldest_outbox_row_s']['highest']} s old, "
        f"{result['oldest_outbox_row_s']['at_end']} s at the end; memory {result['memory_mib']} MiB; "
        f"{result['sql_per_payment']} SQL statements a payment\n  CPU ms a payment: {cpu}"
    )
    for failure in result["failures"]:
        console.print(f"  [red]{failure}[/]")


def _prepare_cards(cards: Path, urls: dict[str, str]) -> None:
    """Many cards, which the fraud rules know as ours: a visible allow-list entry, as for the lab's card."""
    binaries = Path(sys.executable).parent
    listed = subprocess.run(
        [binaries / "bank-simulator", "cards", "--bench"], capture_output=True, text=True, check=True
    )
    cards.write_text(listed.stdout)
    subprocess.run(
        [
            binaries / "fraud-service",
            "lists",
            "add",
            "allow",
            "bin",
            listed.stdout[:6],
            "--reason",
            "benchmark",
        ],
        env={**os.environ, "DATABASE_URL": urls["fraud-service"]},
        stdout=subprocess.DEVNULL,
        check=True,
    )


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


def _machine() -> dict[str, Any]:
    return {
        "cores": psutil.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30),
        "system": platform.platform(),
        "python": platform.python_version(),
    }
