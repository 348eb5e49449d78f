"""Every POST of /v1 as a shop sends it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from tests.testkit.payments.cards import OTHER_V1_CARD, V1_CARD
from tests.testkit.payments.client import Answer
from tests.testkit.payments.journeys.stage import AMOUNT, HOLD, ORDER, Stage
from tests.testkit.payments.repeatable_request import Post
from tests.testkit.payments.world import World

KEPT_HEADERS = ("Content-Type", "Location", "Retry-After")


def thing_in(answer: Answer) -> Any:
    """Return the payment, refund or payment method of an answer, a problem's too."""
    document = answer.json
    return document if "object" in document else document.get("payment") or document.get("refund")


def assert_replayed(again: Answer, first: Answer) -> None:
    """Fail unless the answer was given before, byte for byte."""
    said = [
        (answer.status_code, answer.text, *(answer.headers.get(name) for name in KEPT_HEADERS))
        for answer in (again, first)
    ]
    if again.headers.get("Idempotent-Replayed") != "true" or said[0] != said[1]:
        raise AssertionError(f"{said[0]} is no replay of {said[1]}")


def bank_calls(world: World) -> int:
    """Return how often the bank was asked to move money."""
    bank = world.bank
    return len([*bank.sales, *bank.captures, *bank.voids, *bank.refunds])


@dataclass(frozen=True)
class Operation:
    """One POST: ``arrange`` brings the shop to where it can be sent, and returns its path and body.

    It has so many ``transactions``. ``other`` is a body with other parameters, None where there is nothing
    to be said. ``may_arrive_twice``: two of it at the same moment are tried.
    """

    name: str
    rule: str
    arrange: Callable[[Stage], tuple[str, Any]]
    transactions: int
    status: int = 200
    other: Any = None
    may_arrive_twice: bool = False

    def request(self, stage: Stage) -> Post:
        """Return the request, ready to be sent."""
        return stage.request(*self.arrange(stage))

    def otherwise(self, post: Post) -> Post:
        """Return the same request with other parameters."""
        return replace(post, json=self.other)


def _refund(stage: Stage) -> tuple[str, Any]:
    payment = stage.payment(confirm=True, card=dict(V1_CARD))
    return "/v1/refunds", {"payment": payment, "amount": 5000, "reason": "a cup was broken"}


def _detach(stage: Stage) -> tuple[str, Any]:
    method = stage.make("/v1/payment-methods", {"card": dict(V1_CARD)})
    return f"/v1/payment-methods/{method['id']}/detach", None


def _on(make: Callable[[Stage], str], action: str, body: Any = None) -> Callable[[Stage], tuple[str, Any]]:
    return lambda stage: (f"/v1/payments/{make(stage)}/{action}", body)


_PAYMENTS = "/v1/payments"
_PAYMENT = "/v1/payments/<payment_id>"
OPERATIONS = (
    Operation(
        "create",
        _PAYMENTS,
        lambda _: (_PAYMENTS, dict(ORDER)),
        1,
        201,
        other={**ORDER, "amount": AMOUNT + 1},
    ),
    Operation(
        "create and confirm",
        _PAYMENTS,
        lambda _: (_PAYMENTS, {**ORDER, "confirm": True, "card": dict(V1_CARD)}),
        3,
        201,
        other={**ORDER, "confirm": True, "card": dict(OTHER_V1_CARD)},
    ),
    Operation(
        "create and hold",
        _PAYMENTS,
        lambda _: (_PAYMENTS, {**HOLD, "card": dict(V1_CARD)}),
        3,
        201,
        other={**ORDER, "confirm": True, "card": dict(V1_CARD)},
    ),
    Operation(
        "confirm",
        f"{_PAYMENT}/confirm",
        _on(Stage.payment, "confirm", {"card": dict(V1_CARD)}),
        3,
        other={"card": dict(OTHER_V1_CARD)},
    ),
    Operation(
        "confirm with another card",
        f"{_PAYMENT}/confirm",
        _on(Stage.challenged, "confirm", {"card": dict(OTHER_V1_CARD)}),
        4,
        other={"card": dict(V1_CARD)},
    ),
    Operation(
        "capture",
        f"{_PAYMENT}/capture",
        _on(Stage.held, "capture"),
        2,
        other={"amount": 1},
        may_arrive_twice=True,
    ),
    Operation(
        "capture in part",
        f"{_PAYMENT}/capture",
        _on(Stage.held, "capture", {"amount": 5000}),
        2,
        other={"amount": 5000, "final": True},
    ),
    Operation(
        "cancel",
        f"{_PAYMENT}/cancel",
        _on(Stage.payment, "cancel"),
        1,
        other={"reason": "other"},
        may_arrive_twice=True,
    ),
    Operation(
        "release",
        f"{_PAYMENT}/cancel",
        _on(Stage.held, "cancel"),
        2,
        other={"reason": "other"},
        may_arrive_twice=True,
    ),
    Operation(
        "cancel a challenge",
        f"{_PAYMENT}/cancel",
        _on(Stage.challenged, "cancel"),
        2,
        other={"reason": "other"},
        may_arrive_twice=True,
    ),
    Operation(
        "approve",
        f"{_PAYMENT}/approve",
        _on(Stage.in_review, "approve", {"reason": "a known customer"}),
        2,
        other={"reason": "other"},
        may_arrive_twice=True,
    ),
    Operation(
        "reject",
        f"{_PAYMENT}/reject",
        _on(Stage.in_review, "reject", {"reason": "a stolen card"}),
        1,
        other={"reason": "other"},
    ),
    Operation("refund", "/v1/refunds", _refund, 2, 201, other={"payment": "pay_0", "amount": 1}),
    Operation(
        "store a card",
        "/v1/payment-methods",
        lambda _: ("/v1/payment-methods", {"card": dict(V1_CARD)}),
        1,
        201,
        other={"card": dict(OTHER_V1_CARD)},
    ),
    Operation(
        "detach",
        "/v1/payment-methods/<payment_method_id>/detach",
        _detach,
        1,
        may_arrive_twice=True,
    ),
)
