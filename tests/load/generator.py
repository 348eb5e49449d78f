"""The load itself: Locust users that create a payment and pay it, in a process of its own."""

import gevent.monkey

gevent.monkey.patch_all()

import json  # noqa: E402
import random  # noqa: E402
import time  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

import click  # noqa: E402
import gevent  # noqa: E402
from locust import FastHttpUser, task  # noqa: E402
from locust.env import Environment  # noqa: E402

FULL_PAYMENT = "full payment"
# Each open-loop user begins a payment so often: far more seldom than one takes, so that nobody is late.
OPEN_LOOP_PERIOD_S = 4.0
PERCENTILES = (0.5, 0.95, 0.99)


class Payer(FastHttpUser):
    """Creates a payment as Store Manager does, and pays it as Postman does."""

    abstract = True
    cards: tuple[str, ...] = ()
    period_s = 0.0
    due_s = 0.0

    def on_start(self) -> None:
        """Begin at a moment of one's own, so that the users of an open loop do not march in step."""
        pause_s = random.uniform(0, self.period_s)
        self.due_s = time.perf_counter() + pause_s
        gevent.sleep(pause_s)

    def wait_time(self) -> float:
        """Wait for the next period, which does not depend on how long an answer took; 0 in a closed loop.

        Locust's own constant_throughput counts from the user's making, and brings all into step again.
        """
        self.due_s += self.period_s
        return max(0.0, self.due_s - time.perf_counter()) if self.period_s else 0.0

    @task
    def pay(self) -> None:
        """One full payment; its time is that of both requests."""
        started_s = time.perf_counter()
        order = {
            "user_id": random.randint(1, 5000),
            "order_id": random.randint(1, 10**6),
            "total_amount": 59.5,
        }
        payment_id = self._post("/payments-api/payments", order, "create", expected=201).get("payment_id")
        if payment_id is None:
            return
        card = {
            "cardNumber": random.choice(self.cards),
            "cardCode": "123",
            "expirationDate": "2030-01-05",
        }
        paid = self._post(f"/payments-api/payments/{payment_id}", card, "process", expected=200)
        if paid.get("is_paid") is True:
            self.environment.events.request.fire(
                request_type="",
                name=FULL_PAYMENT,
                response_time=(time.perf_counter() - started_s) * 1000,
                response_length=0,
                exception=None,
                context={},
            )

    def _post(self, path: str, body: dict[str, Any], name: str, *, expected: int) -> dict[str, Any]:
        with self.client.post(path, json=body, name=name, catch_response=True) as response:
            if response.status_code != expected:
                response.failure(f"HTTP {response.status_code}")
                return {}
            response.success()
            answer: dict[str, Any] = response.json()
            return answer


@click.command()
@click.option("--host", required=True)
@click.option(
    "--cards", type=click.Path(path_type=Path, exists=True), required=True, help="One number a line."
)
@click.option("--seconds", type=float, required=True)
@click.option("--users", type=int, default=4, help="Closed loop: so many pay one payment after the other.")
@click.option(
    "--rate", type=float, help="Open loop: so many payments begin each second, whatever comes back."
)
@click.option("--out", type=click.Path(path_type=Path), required=True)
def main(host: str, cards: Path, seconds: float, users: int, rate: float | None, out: Path) -> None:
    """Send the load and write what came back as JSON."""
    period_s = OPEN_LOOP_PERIOD_S if rate else 0.0
    members = {"host": host, "cards": tuple(cards.read_text().split()), "period_s": period_s}
    count = round(rate * OPEN_LOOP_PERIOD_S) if rate else users
    environment = Environment(user_classes=[type("BenchPayer", (Payer,), members)])
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
