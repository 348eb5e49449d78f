"""The load itself: Locust users who pay, in a process of its own."""

import gevent.monkey

gevent.monkey.patch_all()

import json  # noqa: E402
import time  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

import click  # noqa: E402
import gevent  # noqa: E402
from locust.env import Environment  # noqa: E402

from tests.load.access import AccessToken, LabClient  # noqa: E402
from tests.load.payers import FULL_PAYMENT, LabPayer, MerchantPayer, Payer  # noqa: E402

# Each open-loop user begins a payment so often: far more seldom than one takes, so that nobody is late.
OPEN_LOOP_PERIOD_S = 4.0
PERCENTILES = (0.5, 0.95, 0.99)


@click.command()
@click.option("--host", required=True)
@click.option(
    "--cards",
    type=click.Path(path_type=Path, exists=True),
    required=True,
    help="One a line: a number, or with --client the id of a stored card.",
)
@click.option(
    "--client",
    type=click.Path(path_type=Path, exists=True),
    help="Pay on /v1 with the credentials in this file; without it on the lab surface.",
)
@click.option("--seconds", type=float, required=True)
@click.option("--users", type=int, default=4, help="Closed loop: so many pay one payment after the other.")
@click.option(
    "--rate", type=float, help="Open loop: so many payments begin each second, whatever comes back."
)
@click.option("--out", type=click.Path(path_type=Path), required=True)
def main(
    host: str,
    cards: Path,
    client: Path | None,
    seconds: float,
    users: int,
    rate: float | None,
    out: Path,
) -> None:
    """Send the load and write what came back as JSON."""
    period_s = OPEN_LOOP_PERIOD_S if rate else 0.0
    members: dict[str, Any] = {
        "host": host,
        "cards": tuple(cards.read_text().split()),
        "period_s": period_s,
    }
    kind: type[Payer] = LabPayer
    if client:
        kind = MerchantPayer
        token = AccessToken(LabClient.read(client), host)
        token.bearer()  # before the load begins, or every user would ask for one
        members["token"] = token
    count = round(rate * OPEN_LOOP_PERIOD_S) if rate else users
    environment = Environment(user_classes=[type("BenchPayer", (kind,), members)])
    runner = environment.create_local_runner()
    runner.start(count, spawn_rate=count)
    gevent.sleep(period_s)
    stats = environment.stats
    stats.reset_all()  # until now the open loop was filling up
    gevent.sleep(seconds)
    full = stats.get(FULL_PAYMENT, "")
    result = {
        "generator_cpu_s": time.process_time(),
        "payments": full.num_requests,
        "payments_per_second": full.num_requests / seconds,
        "errors": stats.total.num_failures,
        "failures": [f"{error.name}: {error.error} ({error.occurrences})" for error in stats.errors.values()],
        "ms": {f"p{round(share * 100)}": full.get_response_time_percentile(share) for share in PERCENTILES},
    }
    runner.quit()
    out.write_text(json.dumps(result))


if __name__ == "__main__":
    main()
