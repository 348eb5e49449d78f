"""``make bench-data``: fills a database with payments, or measures what so many payments change."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import click
from payment_service.config import Config
from payment_service.domain.payments.events import EventKey
from payment_service.models.merchant import LAB_MERCHANT_ID, Merchant
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from service_kit.clock import utc_now
from service_kit.db.engine import engine_options, prepare_engine
from sqlalchemy import Engine, create_engine, select, text
from sqlalchemy.orm import Session

from tests.load.bench import SURFACES, Scenario, describe_machine, run_scenario, write_report
from tests.load.stage import ENGINES, Stage, stage
from tests.testkit.payments.bulk.fill import count_filled, fill

CHUNK = 1000
console = Console(highlight=False)


@click.command()
@click.option("--payments", default=300_000, show_default=True, help="So many in all.")
@click.option(
    "--database-url",
    help="Only fill this migrated and seeded database, going on where it was interrupted.",
)
@click.option("--engine", type=click.Choice(sorted(ENGINES)), default="mariadb", show_default=True)
@click.option("--seconds", default=60.0, show_default=True, help="Of each measurement.")
@click.option("--users", default=8, show_default=True, help="Users of the closed loops.")
@click.option(
    "--out", type=click.Path(path_type=Path), default=Path(".cache/bench-data.json"), show_default=True
)
def main(payments: int, database_url: str | None, engine: str, seconds: float, users: int, out: Path) -> None:
    """Fill payment-service's tables with payments that came to their end, and all that belongs to them.

    Without --database-url a system of its own is measured with empty tables, filled, and measured again: both
    surfaces in closed loops, with the rows that the database read for one payment.
    """
    if database_url:
        fill_database(connect(database_url), payments)
        return
    scenarios = [Scenario(surface, f"closed loop, {users} users", seconds, users) for surface in SURFACES]
    warm_up = [Scenario(surface, "warm-up", 10) for surface in SURFACES]
    with stage(engine) as bench:
        url = bench.payment_database.url.render_as_string(hide_password=False)
        results: dict[str, list[dict[str, Any]]] = {}
        for tables in ("empty", "full"):
            if tables == "full":
                fill_database(connect(url), payments)
            for scenario in warm_up:
                run_scenario(scenario, bench)
            console.print(f"[bold]{tables} tables[/]")
            results[tables] = [
                _with_rows_read(scenario, bench, bench.payment_database) for scenario in scenarios
            ]
    for empty, full in zip(results["empty"], results["full"], strict=True):
        share = full["payments_per_second"] / max(0.001, empty["payments_per_second"])
        rows = [each["rows_read_per_payment"] for each in (empty, full)]
        console.print(
            f"{empty['scenario']}: {share:.0%} of the throughput with empty tables; "
            f"rows read for one payment: {rows[0]} empty, {rows[1]} full"
        )
    report = {"machine": describe_machine(), "engine": engine, "payments": payments, **results}
    write_report(report, out)


def connect(database_url: str) -> Engine:
    """Return an engine as the services use it."""
    engine = create_engine(database_url, **engine_options(database_url))
    prepare_engine(engine)
    return engine


def fill_database(engine: Engine, payments: int) -> None:
    """Write what is missing to ``payments``; each step is one transaction, so a kill loses at most one."""
    config = Config.from_env()
    key = EventKey(config.event_key_id, config.event_key)
    began_at = utc_now() - timedelta(hours=12)
    with Session(engine) as session:
        done = count_filled(session)
        lab = select(Merchant.id).where(Merchant.public_id == LAB_MERCHANT_ID)
        merchant_id = session.scalars(lab).one()
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("payments", total=payments, completed=min(done, payments))
        for first in range(done, payments, CHUNK):
            numbers = range(first, min(first + CHUNK, payments))
            with Session(engine) as session, session.begin():
                fill(session, key, merchant_id, numbers, began_at)
            progress.advance(task, len(numbers))


def _with_rows_read(scenario: Scenario, bench: Stage, database: Engine) -> dict[str, Any]:
    before = _rows_read(database)
    result = run_scenario(scenario, bench)
    rows = _rows_read(database) - before
    return {**result, "rows_read_per_payment": round(rows / max(1, result["payments"]), 1)}


def _rows_read(database: Engine) -> int:
    """Return how many rows the whole server has read so far, by key, in order or one after the other."""
    with database.connect() as connection:
        found = connection.execute(text("SHOW GLOBAL STATUS LIKE 'Handler_read%'"))
        return sum(int(row[1]) for row in found)


if __name__ == "__main__":
    main(prog_name="python -m tests.load.data")
