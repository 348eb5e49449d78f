"""What every operation of the state machine needs: orders, requests under keys, and what came of them."""

from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine
from payment_service.testing.client import Answer

from tests.model.cards import CARDS, GOOD, Judgement
from tests.model.checks import (
    AtBank,
    Statuses,
    bank_differences,
    differences_in_tables,
    orders_at_bank,
    shown_orders,
)
from tests.model.model import Movement, Order
from tests.model.town import Town
from tests.model.wire import Died

# Counted among those that an operation is meant for, the latest first; or any other.
ANY_OTHER = 7
WHICH = st.sampled_from([0, 0, 0, 0, 1, 1, 1, 2, 2, 3, 5, ANY_OTHER])
# Some on either side of what fraud-service's silence lets through.
AMOUNTS = st.sampled_from([10_000, 10_001, 99_999, 100_000, 250_000])
# Of what is left, in per cent; None asks for all of it without saying how much that is.
PARTS = st.sampled_from([None, 1, 30, 50, 99, 100, 101, 150])
USED_CARDS = st.one_of(st.just(GOOD), st.just(GOOD), st.sampled_from(CARDS))
JUDGEMENTS = st.one_of(st.just(Judgement.APPROVE), st.sampled_from(Judgement))
REPLAYED = "Idempotent-Replayed"
Body = dict[str, Any] | None


@dataclass
class Sent:
    """A request under its key; ``answer`` is None while none that is stored came."""

    path: str
    body: Body
    key: str
    order: Order
    what: Movement
    amount: int
    answer: Answer | None = None

    @property
    def verb(self) -> str:
        """What it asks for, in a word."""
        return self.path.rpartition("/")[2]


class Stage(RuleBasedStateMachine):
    """The merchant's desk: what was ordered, what was sent, and what it came to."""

    def __init__(self, town: Town) -> None:
        super().__init__()
        self.town = town
        town.restart()
        self.orders: list[Order] = []
        self.sent: list[Sent] = []
        self.statuses: Statuses = {}
        self.may_expire = False
        self.has_fault_plan = False
        self.nothing_happened = False
        self._keys = 0

    @property
    def is_troubled(self) -> bool:
        """Whether something may befall the next calls of the bank."""
        return bool(self.town.wire.troubles or self.has_fault_plan)

    def new_order(self, amount: int, *, is_manual: bool = False) -> Order:
        """Note an order; it is not sent yet."""
        order = Order(str(1000 + len(self.orders)), amount, is_manual)
        self.orders.append(order)
        return order

    def has(self, statuses: frozenset[str]) -> bool:
        """Whether there is an order in one of these states."""
        return any(order.status in statuses for order in self.known())

    def known(self) -> list[Order]:
        """Return the orders whose payments have an id that we were told, the latest first."""
        return [order for order in reversed(self.orders) if order.id is not None]

    def pick(self, which: int, statuses: frozenset[str]) -> Order:
        """Return an order in one of these states; now and then, or where there is none, any other."""
        apt = [order for order in self.known() if order.status in statuses]
        chosen = apt if apt and which != ANY_OTHER else self.known()
        return chosen[which % len(chosen)]

    def send(self, sent: Sent, expected: frozenset[int]) -> Answer | None:
        """Send a request; return its answer, which must be one that may come, None where none did."""
        try:
            answer = self.town.shop.post(self.town.world, sent.path, sent.body, sent.key)
        except Died:
            self.town.seen[f"{sent.verb} → death"] += 1
            sent.order.is_unsure = True
            sent.order.doubt(sent.what, sent.amount)
            self.sent.append(sent)
            return None
        self.town.seen[f"{sent.verb} → {answer.status_code}"] += 1
        assert answer.status_code in expected, f"{answer.status_code}, not {set(expected)}: {answer.text}"
        if is_kept(answer):
            sent.answer = answer
            self.sent.append(sent)
        return answer

    def request(self, path: str, body: Body, order: Order, what: Movement, amount: int) -> Sent:
        """Return a request with a new key."""
        self._keys += 1
        return Sent(path, body, f"key {self._keys}", order, what, amount)

    def look(self) -> None:
        """Compare everything with everything; the model learns what happened by itself."""
        shown, bank = shown_orders(self.town), orders_at_bank(self.town)
        wrong: list[str] = []
        for order in self.orders:
            found = shown.get(order.order_id)
            if found is None:
                if order.id is not None:
                    wrong.append(f"{order} is not shown")
                continue
            order.id = order.id or found.id
            said = order.hear(found, may_expire=self.may_expire)
            self.town.seen[f"a payment is {found.status}"] += 1
            faults = [said] if said else []
            faults += bank_differences(order, found, bank.get(order.order_id, AtBank()))
            wrong += [f"order {order.order_id}: {fault}" for fault in faults]
        wrong += differences_in_tables(self.town, self.statuses)
        self.may_expire = False
        assert not wrong, "\n".join(wrong)


def is_kept(answer: Answer) -> bool:
    """Whether a repeat gets the answer again; refusals before anything was begun are not kept."""
    if answer.status_code in {200, 201, 202}:
        return True
    return any(name in answer.json for name in ("payment", "refund"))


def part_of(total: int, part: int | None) -> int | None:
    """Return so many per cent of it, at least 1."""
    return None if part is None else max(1, total * part // 100)
