"""Runs the benchmark's scenarios on one system, one after the other, and writes what they showed."""

import json
import platform
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import psutil
from rich.console import Console

from run.settings import CHECKOUT
from tests.load.measure import events_reach_notification_service_s, oldest_untold_s
from tests.load.stage import ENGINES, Stage, stage

LAB, V1 = SURFACES = ("lab", "/v1")
console = Console(highlight=False)


@dataclass(frozen=True)
class Scenario:
    """A load on one surface: closed loop with ``users``, or open loop at ``rate`` payments a second."""

    surface: str
    kind: str
    seconds: float
    users: int = 4
    rate: float | None = None

    @property
    def name(self) -> str:
        """As the report says it."""
        return f"{self.surface}: {self.kind}"


@click.command()
@click.option("--engine", type=click.Choice(sorted(ENGINES)), default="mariadb", show_default=True)
@click.option("--surface", type=click.Choice(SURFACES), help="Only this one; without it one after the other.")
@click.option("--closed-seconds", default=60.0, show_default=True, help="Closed loop, as fast as it goes.")
@click.option("--held-seconds", default=180.0, show_default=True, help="Open loop at --held-rate.")
@click.option("--held-rate", default=35.0, show_default=True)
@click.option("--calm-seconds", default=60.0, show_default=True, help="Open loop at 15/s.")
@click.option("--users", default=8, show_default=True, help="Users of the closed loop.")
@click.option("--out", type=click.Path(path_type=Path), default=Path(".cache/bench.json"), show_default=True)
def main(
    engine: str,
    surface: str | None,
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
        scenario
        for each in ((surface,) if surface else SURFACES)
        for scenario in (
            Scenario(each, "warm-up", 10, users=4),
            Scenario(each, f"open loop, {held_rate:g}/s", held_seconds, rate=held_rate),
            Scenario(each, "open loop, 15/s", calm_seconds, rate=15),
            Scenario(each, f"closed loop, {users} users", closed_seconds, users=users),
        )
        if scenario.seconds
    ]
    with stage(engine) as bench:
        results = [run_scenario(scenario, bench) for scenario in scenarios]
    write_report({"machine": describe_machine(), "engine": engine, "scenarios": results}, out)


def run_scenario(scenario: Scenario, bench: Stage) -> dict[str, Any]:
    """Run the load in a process of its own, and say what it showed and what it cost."""
    out = bench.settings.run_dir / "generated.json"
    options: dict[str, object] = {
        "--host": bench.system.gateway_url,
        "--cards": bench.cards,
        "--seconds": scenario.seconds,
        "--out": out,
    }
    if scenario.surface == V1:
        options |= {"--client": bench.settings.lab_client_file, "--cards": bench.stored_cards}
    options |= {"--rate": scenario.rate} if scenario.rate else {"--users": scenario.users}
    words = [str(word) for option in options.items() for word in option]
    before, began_at = bench.meter.read(), datetime.now(UTC)
    generator = subprocess.Popen([sys.executable, "-m", "tests.load.generator", *words], cwd=CHECKOUT)
    oldest_s = 0.0
    with console.status(f"{scenario.name}, {scenario.seconds:g} s"):
        while generator.poll() is None:
            oldest_s = max(oldest_s, oldest_untold_s(bench.payment_database))
            time.sleep(1)
    if generator.returncode:
        raise click.ClickException(f"The load generator failed (exit code {generator.returncode}).")
    after = bench.meter.read()
    result: dict[str, Any] = {
        "scenario": scenario.name,
        "seconds": scenario.seconds,
        **json.loads(out.read_text()),
    }
    result |= before.until(after, max(1, result["payments"]))
    result["oldest_untold_s"] = {
        "highest": round(oldest_s, 2),
        "at_end": round(oldest_untold_s(bench.payment_database), 2),
    }
    reach_s = events_reach_notification_service_s(bench.notification_database, began_at)
    result["events_reach_notification_service_p95_s"] = round(reach_s, 3)
    result["memory_mib"] = round(bench.meter.memory_mib(bench.system.names))
    _show(result)
    return result


def write_report(report: dict[str, Any], out: Path) -> None:
    """Leave the figures where docs/benchmarks.md says."""
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(report, indent=2))
    console.print(f"\nWritten to {out}")


def _show(result: dict[str, Any]) -> None:
    times = ", ".join(f"{name} {ms:.0f} ms" for name, ms in result["ms"].items() if ms is not None)
    cpu = ", ".join(f"{name} {ms}" for name, ms in result["cpu_ms_per_payment"].items())
    console.print(
        f"[bold]{result['scenario']}[/]: {result['payments_per_second']:.1f} payments/s, {times}, "
        f"{result['errors']} errors\n"
        f"  others told after {result['oldest_untold_s']['highest']} s at most, "
        f"{result['oldest_untold_s']['at_end']} s at the end; "
        f"events at notification-service after {result['events_reach_notification_service_p95_s']} s (p95); "
        f"memory {result['memory_mib']} MiB; "
        f"{result['sql_per_payment']} SQL statements a payment\n  CPU ms a payment: {cpu}"
    )
    for failure in result["failures"]:
        console.print(f"  [red]{failure}[/]")


def describe_machine() -> dict[str, Any]:
    """Return what the figures depend on."""
    return {
        "cores": psutil.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30),
        "system": platform.platform(),
        "python": platform.python_version(),
    }
