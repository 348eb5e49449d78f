"""What every operation of the state machine needs: orders, requests under keys, and what came of them."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine

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
from tests.model.system_under_test import SystemUnderTest
from tests.model.wire import Died
from tests.testkit.payments.client import Answer

# Counted among those that an operation is meant for, the latest first; or any other.
ANY_OTHER = 7
WHICH = st.sampled_from([0, 0, 0, 0, 1, 1, 1, 2, 2, 3, 5, ANY_OTHER])
# Some on either side of what fraud-service's silence lets through.
AMOUNTS = st.sampled_from([10_000, 10_001, 99_999, 100_000, 250_000])
# Of what is left, in per cent; None asks for all of it without saying how much that is.
PARTS = st.sampled_from([None, 1, 20, 20, 30, 50, 99, 100, 101])
USED_CARDS = st.one_of(st.just(GOOD), st.just(GOOD), st.sampled_from(CARDS))
JUDGEMENTS = st.sampled_from([*[Judgement.APPROVE] * 4, Judgement.REVIEW, *Judgement])
REPLAYED = "Idempotent-Replayed"
UNAVAILABLE = 503
# Where others come between, or a COMMIT is lost.
ANYTHING = frozenset({200, 201, 202, 402, 409, 422, 502})
Body = dict[str, Any] | None
Apt = Callable[[Order], bool]


@dataclass(eq=False)
class Sent:
    """A request under its key; ``answer`` is None while none that is surely stored came.

    ``is_begun``: the bank was called for it, so its movement is written down, and no repeat may call again.
    """

    path: str
    body: Body
    key: str
    order: Order
    what: Movement
    amount: int
    sent_at: datetime
    answer: Answer | None = None
    is_begun: bool = False

    @property
    def verb(self) -> str:
        """What it asks for, in a word."""
        return self.path.rpartition("/")[2]


class Stage(RuleBasedStateMachine):
    """The merchant's desk: what was ordered, what was sent, and what it came to."""

    def __init__(self, system: SystemUnderTest) -> None:
        super().__init__()
        self.system = system
        system.restart()
        self.orders: list[Order] = []
        self.sent: list[Sent] = []
        self.statuses: Statuses = {}
        self.may_expire = False
        self.has_fault_plan = False
        # Whether anybody asked for one: until then there is nothing to look at.
        self.has_refunds = self.has_disputes = False
        # Whose request is under way: others may want something of the same payment meanwhile.
        self.busy_with: Order | None = None
        self.under_way: Sent | None = None
        # Keys that were pruned: whatever was asked for under them is forgotten, and they are like new ones.
        self.forgotten_keys: list[str] = []
        self._keys = 0
        self._commits_seen = 0

    @property
    def is_troubled(self) -> bool:
        """Whether something may befall the next calls of the bank."""
        return bool(self.system.wire.troubles or self.has_fault_plan)

    def new_order(self, amount: int, *, is_manual: bool = False) -> Order:
        """Note an order; it is not sent yet."""
        order = Order(str(1000 + len(self.orders)), amount, is_manual)
        self.orders.append(order)
        return order

    def has(self, is_apt: Apt) -> bool:
        """Whether there is an order that is apt."""
        return any(map(is_apt, self.known()))

    def known(self) -> list[Order]:
        """Return the orders whose payments have an id that we were told, the latest first."""
        return [order for order in reversed(self.orders) if order.id is not None]

    def pick(self, which: int, is_apt: Apt) -> Order:
        """Return an order that is apt; now and then, or where there is none, any other."""
        apt = list(filter(is_apt, self.known()))
        chosen = apt if apt and which != ANY_OTHER else self.known()
        return chosen[which % len(chosen)]

    def send(self, sent: Sent, expected: frozenset[int]) -> Answer | None:
        """Send a request; return its answer, which must be one that may come, None where none did."""
        if self.system.has_surprises:
            expected |= ANYTHING
        self.sent.append(sent)
        answer, was_struck = self.deliver(sent)
        self.note(f"{sent.verb} → {answer.status_code if answer else 'death'}")
        if answer is None or (was_struck and answer.status_code == UNAVAILABLE):
            sent.order.in_the_dark(sent.what, sent.amount)
            return None
        assert answer.status_code in expected, f"{answer.status_code}, not {set(expected)}: {answer.text}"
        if was_struck:
            sent.order.is_unsure = True
        elif is_kept(answer):
            sent.answer = answer
        else:
            self.sent.remove(sent)
        return answer

    def deliver(self, sent: Sent) -> tuple[Answer | None, bool]:
        """Bring a request to the service, and say whether a COMMIT was lost meanwhile; no answer: it died."""
        calls, strikes = self.system.wire.money_calls, self.system.storage.struck
        before = self.busy_with, self.under_way
        self.busy_with, self.under_way = sent.order, sent
        answer = None
        with suppress(Died):
            answer = self.system.shop.post(self.system.world, sent.path, sent.body, sent.key)
        self.busy_with, self.under_way = before
        has_called = self.system.wire.money_calls > calls
        assert not (sent.is_begun and has_called), "a repeat moved money"
        sent.is_begun |= has_called
        return answer, self.system.storage.struck > strikes

    def request(self, path: str, body: Body, order: Order, what: Movement, amount: int) -> Sent:
        """Return a request with a new key, or one that was forgotten."""
        self.has_refunds |= what is Movement.REFUND
        if path == "/v1/payments" and self.forgotten_keys:
            key = self.forgotten_keys.pop()
        else:
            self._keys += 1
            key = f"key {self._keys}"
        return Sent(path, body, key, order, what, amount, self.system.clock.now())

    def note(self, what: str) -> None:
        """Count what an operation came to."""
        self.system.seen[what] += 1

    @property
    def has_news(self) -> bool:
        """Whether anything was stored since the last look."""
        return self.system.commits != self._commits_seen

    def look(self) -> None:
        """Compare everything with everything; the model learns what happened by itself."""
        shown = shown_orders(self.system, with_refunds=self.has_refunds, with_disputes=self.has_disputes)
        bank = orders_at_bank(self.system)
        wrong: list[str] = []
        for order in self.orders:
            found = shown.get(order.order_id)
            if found is None:
                if order.id is not None:
                    wrong.append(f"{order} is not shown")
                continue
            order.id = order.id or found.id
            said = order.hear(found, may_expire=self.may_expire)
            self.note(f"shown → {found.status}")
            faults = [said] if said else []
            faults += bank_differences(order, found, bank.get(order.order_id, AtBank()))
            wrong += [f"order {order.order_id}: {fault}" for fault in faults]
        wrong += differences_in_tables(self.system, self.statuses)
        self._commits_seen = self.system.commits
        assert not wrong, "\n".join(wrong)


def is_kept(answer: Answer) -> bool:
    """Whether a repeat gets the answer again; refusals before anything was begun are not kept."""
    if answer.status_code in {200, 201, 202}:
        return True
    return any(name in answer.json for name in ("payment", "refund"))


def part_of(total: int, part: int | None) -> int | None:
    """Return so many per cent of it, at least 1."""
    return None if part is None else max(1, total * part // 100)
