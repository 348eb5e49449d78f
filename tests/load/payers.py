"""Who pays: Store Manager's customers on the lab surface, and a merchant's server on /v1."""

import random
import time
from typing import Any
from uuid import uuid4

import gevent
from locust import FastHttpUser, task

from tests.load.access import AccessToken

FULL_PAYMENT = "full payment"
CUSTOMERS = 5000


class Payer(FastHttpUser):
    """Makes one full payment after the other, or one each ``period_s`` whatever comes back."""

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
    def make_payment(self) -> None:
        """One full payment; its time is that of all its requests."""
        started_s = time.perf_counter()
        if self.pay():
            self.environment.events.request.fire(
                request_type="",
                name=FULL_PAYMENT,
                response_time=(time.perf_counter() - started_s) * 1000,
                response_length=0,
                exception=None,
                context={},
            )

    def pay(self) -> bool:
        """Pay once, and return whether the money was taken."""
        raise NotImplementedError

    def post(
        self, path: str, body: dict[str, Any], name: str, *, expected: int, headers: dict[str, str]
    ) -> dict[str, Any]:
        """Send a POST and return what it answered; nothing where that is a failure."""
        with self.client.post(path, json=body, name=name, headers=headers, catch_response=True) as response:
            if response.status_code != expected:
                response.failure(f"HTTP {response.status_code}")
                return {}
            response.success()
            answer: dict[str, Any] = response.json()
            return answer


class LabPayer(Payer):
    """Creates a payment as Store Manager does, and pays it as Postman does."""

    abstract = True

    def pay(self) -> bool:
        """Two requests."""
        order = {
            "user_id": random.randint(1, CUSTOMERS),
            "order_id": random.randint(1, 10**6),
            "total_amount": 59.5,
        }
        payment_id = self.post("/payments-api/payments", order, "create", expected=201, headers={}).get(
            "payment_id"
        )
        if payment_id is None:
            return False
        card = {
            "cardNumber": random.choice(self.cards),
            "cardCode": "123",
            "expirationDate": "2030-01-05",
        }
        path = f"/payments-api/payments/{payment_id}"
        return self.post(path, card, "process", expected=200, headers={}).get("is_paid") is True


class MerchantPayer(Payer):
    """Creates and confirms a payment with a stored card in one request, under a key of its own."""

    abstract = True
    token: AccessToken

    def pay(self) -> bool:
        """One request."""
        customer = random.randint(1, CUSTOMERS)
        payment = {
            "amount": 5950,
            "currency": "MAD",
            "confirm": True,
            "payment_method": random.choice(self.cards),
            "order_id": f"order-{random.randint(1, 10**6)}",
            "customer": {"id": f"customer-{customer}", "email": f"customer-{customer}@shop.example"},
        }
        headers = {**self.token.bearer(), "Idempotency-Key": str(uuid4())}
        answer = self.post("/v1/payments", payment, "create and confirm", expected=201, headers=headers)
        return answer.get("status") == "completed"
