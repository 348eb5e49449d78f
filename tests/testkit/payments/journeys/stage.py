"""How a shop comes to where it can send a request."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from typing import Any

from payment_service.models.idempotency_key import IdempotencyKey
from payment_service.models.movement import MOVEMENTS, AnyMovement
from payment_service.values.statuses import FraudDecision, MovementState
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.testkit.payments.access import Shop, open_shop
from tests.testkit.payments.cards import V1_CARD
from tests.testkit.payments.repeatable_request import Post
from tests.testkit.payments.scripted.sales import challenge
from tests.testkit.payments.world import World

AMOUNT = 19999
ORDER: Mapping[str, Any] = {"amount": AMOUNT, "currency": "MAD", "order_id": "1017"}
HOLD: Mapping[str, Any] = {**ORDER, "capture_method": "manual", "confirm": True}
PLACES: Mapping[str, str] = {
    "payment": "/v1/payments",
    "refund": "/v1/refunds",
    "payment_method": "/v1/payment-methods",
}


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
        return self.payment(**HOLD, card=dict(V1_CARD))

    def in_review(self) -> str:
        """Return a payment that waits for somebody to look at it."""
        self.world.fraud.script.append(FraudDecision.REVIEW)
        return self.payment(confirm=True, card=dict(V1_CARD))

    def challenged(self) -> str:
        """Return a payment that waits for its cardholder to show who they are."""
        self.world.bank.script.append(challenge)
        return self.payment(confirm=True, card=dict(V1_CARD))

    def show(self, thing: Mapping[str, Any]) -> Any:
        """Read a payment, refund or payment method again."""
        place = PLACES[thing["object"]]
        return self.world.client.get(f"{place}/{thing['id']}", headers=self.shop.bearer).json

    def outlast_everybody(self) -> None:
        """Let so much time pass that nobody can be at work any more, and no key is leased."""
        lease = timedelta(seconds=self.world.config.limits.idempotency_lease_s + 1)

        def work(session: Session) -> None:
            for key in session.scalars(select(IdempotencyKey)):
                key.leased_until -= lease

        self.world.change(work)
        self.world.outlast_senders()

    def settle_everything(self) -> None:
        """Let the janitor come to the end of every movement that waits for no person."""
        for _ in range(5):
            self.outlast_everybody()
            asked = self.world.run_janitor()
            is_open = any(_can_end(movement) for table in MOVEMENTS for movement in self.world.all(table))
            if not asked and not is_open:
                return
        raise AssertionError("a movement is open although the bank answers")


def _can_end(movement: AnyMovement) -> bool:
    waits_for_a_person = {MovementState.HELD, MovementState.REQUIRES_ACTION}
    return movement.is_open and movement.state not in waits_for_a_person


def new_stage(world: World) -> Stage:
    """Open a shop."""
    return Stage(world, open_shop(world))
