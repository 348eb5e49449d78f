"""For tests: every POST of /v1 as a shop sends it, and how the shop comes to where it can send it."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import count
from typing import Any, cast

from sqlalchemy import select
from sqlalchemy.orm import Session

from payment_service.models.idempotency_key import IdempotencyKey
from payment_service.models.payments.capture import Capture
from payment_service.models.payments.movement import Movement
from payment_service.models.payments.payment_attempt import PaymentAttempt
from payment_service.models.payments.refund import Refund
from payment_service.models.payments.void import Void
from payment_service.testing import Answer, World
from payment_service.testing_access import Shop, open_shop
from payment_service.testing_deaths import Post
from payment_service.testing_payments import challenge
from payment_service.values.assessment import FraudDecision
from payment_service.values.statuses import MovementState

AMOUNT = 19999
CARD: Mapping[str, Any] = {"number": "4242424242424242", "exp_month": 12, "exp_year": 2031, "cvc": "907"}
OTHER_CARD: Mapping[str, Any] = {**CARD, "number": "5555555555554444"}
ORDER: Mapping[str, Any] = {"amount": AMOUNT, "currency": "MAD", "order_id": "1017"}
HOLD: Mapping[str, Any] = {**ORDER, "capture_method": "manual", "confirm": True}
PLACES: Mapping[str, str] = {
    "payment": "/v1/payments",
    "refund": "/v1/refunds",
    "payment_method": "/v1/payment-methods",
}
KEPT_HEADERS = ("Content-Type", "Location", "Retry-After")
MOVEMENTS = (PaymentAttempt, Capture, Void, Refund)


@dataclass
class Stage:
    """A shop in a scripted world; each of its requests has a key of its own."""

    world: World
    shop: Shop
    _keys: Any = field(default_factory=count)

    def request(self, path: str, body: Any = None) -> Post:
        """Return a request with a new key."""
        headers = {**self.shop.bearer, "Idempotency-Key": f"key {next(self._keys)}"}
        return Post(path, body, headers)

    def make(self, path: str, body: Any = None) -> Any:
        """Send a request that must succeed, and return what it answers."""
        answer = self.request(path, body).send(self.world)
        if answer.status_code not in {200, 201, 202}:
            raise AssertionError(answer.text)
        return answer.json

    def payment(self, **changes: Any) -> str:
        """Create a payment and return its id."""
        public_id: str = self.make(PLACES["payment"], {**ORDER, **changes})["id"]
        return public_id

    def held(self) -> str:
        """Return a payment whose money is held."""
        return self.payment(**HOLD, card=dict(CARD))

    def in_review(self) -> str:
        """Return a payment that waits for somebody to look at it."""
        self.world.fraud.script.append(FraudDecision.REVIEW)
        return self.payment(confirm=True, card=dict(CARD))

    def challenged(self) -> str:
        """Return a payment that waits for its cardholder to show who they are."""
        self.world.bank.script.append(challenge)
        return self.payment(confirm=True, card=dict(CARD))

    def show(self, thing: Mapping[str, Any]) -> Any:
        """Read a payment, refund or payment method again."""
        place = PLACES[thing["object"]]
        return self.world.client.get(f"{place}/{thing['id']}", headers=self.shop.bearer).json

    def pass_time(self, seconds: float) -> None:
        """Let everything that has a time limit have begun earlier."""
        by = timedelta(seconds=seconds)

        def work(session: Session) -> None:
            for key in session.scalars(select(IdempotencyKey)):
                key.leased_until -= by
            for movement in _movements(session):
                movement.started_at -= by
                movement.send_before -= by
                if movement.next_ask_at is not None:
                    movement.next_ask_at -= by

        self.world.change(work)

    def settle_everything(self) -> None:
        """Let the janitor come to the end of every movement that waits for no person."""
        for _ in range(5):
            self.pass_time(120)
            self.world.run_janitor()
        if self.world.change(lambda session: any(map(_can_end, _movements(session)))):
            raise AssertionError("a movement is open although the bank answers")


def _movements(session: Session) -> Iterator[Movement]:
    for model in MOVEMENTS:
        yield from cast(Iterable[Movement], session.scalars(select(model)))


def _can_end(movement: Movement) -> bool:
    waits_for_a_person = {MovementState.HELD, MovementState.REQUIRES_ACTION}
    return movement.is_open and movement.state not in waits_for_a_person


def new_stage(world: World) -> Stage:
    """Open a shop."""
    return Stage(world, open_shop(world))


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
    payment = stage.payment(confirm=True, card=dict(CARD))
    return "/v1/refunds", {"payment": payment, "amount": 5000, "reason": "a cup was broken"}


def _detach(stage: Stage) -> tuple[str, Any]:
    method = stage.make("/v1/payment-methods", {"card": dict(CARD)})
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
        lambda _: (_PAYMENTS, {**ORDER, "confirm": True, "card": dict(CARD)}),
        3,
        201,
        other={**ORDER, "confirm": True, "card": dict(OTHER_CARD)},
    ),
    Operation(
        "create and hold",
        _PAYMENTS,
        lambda _: (_PAYMENTS, {**HOLD, "card": dict(CARD)}),
        3,
        201,
        other={**ORDER, "confirm": True, "card": dict(CARD)},
    ),
    Operation(
        "confirm",
        f"{_PAYMENT}/confirm",
        _on(Stage.payment, "confirm", {"card": dict(CARD)}),
        3,
        other={"card": dict(OTHER_CARD)},
    ),
    Operation(
        "confirm with another card",
        f"{_PAYMENT}/confirm",
        _on(Stage.challenged, "confirm", {"card": dict(OTHER_CARD)}),
        4,
        other={"card": dict(CARD)},
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
        lambda _: ("/v1/payment-methods", {"card": dict(CARD)}),
        1,
        201,
        other={"card": dict(OTHER_CARD)},
    ),
    Operation(
        "detach",
        "/v1/payment-methods/<payment_method_id>/detach",
        _detach,
        1,
        may_arrive_twice=True,
    ),
)
