"""What goes wrong: calls, COMMITs and processes that are lost, and others who come between."""

from dataclasses import replace
from enum import StrEnum
from functools import partial

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.model.cards import GOOD
from tests.model.model import Movement, Order
from tests.model.stage import ANYTHING, Body, Sent
from tests.model.storage import Loss
from tests.model.wire import Meanwhile, Moment, Trouble
from tests.model.worlds_operations import World

RATES = st.sampled_from([0.0, 0.3, 1.0])
# As the service is set: so long a request that is under way keeps its key.
LEASE_S = 30
# Until the service asks about what is under way, gives it up, and is sure that nobody sends it any more.
DELAYS = st.sampled_from([0, 0, 3, 11, 31])


class Others(StrEnum):
    """Who wants something of the payment whose call is under way."""

    WORKERS = "workers"
    REPEAT = "the same request again"
    CONFIRM = "confirm"
    CAPTURE = "capture"
    CANCEL = "cancel"
    APPROVE = "approve"
    REFUND = "refund"


MOVEMENTS = {
    Others.CONFIRM: Movement.CHARGE,
    Others.CAPTURE: Movement.CAPTURE,
    Others.CANCEL: Movement.RELEASE,
    Others.APPROVE: Movement.CHARGE,
    Others.REFUND: Movement.REFUND,
}


class Faults(World):
    """Each of these waits for the next call or COMMIT, of whatever operation that is."""

    @rule(troubles=st.lists(st.sampled_from(Trouble), min_size=1, max_size=3))
    def trouble_is_near(self, troubles: list[Trouble]) -> None:
        """Let something befall the next calls of the bank."""
        self.system.wire.troubles[:] = troubles

    @rule(spared=st.integers(0, 3), loss=st.sampled_from(Loss))
    def commit_is_lost(self, spared: int, loss: Loss) -> None:
        """Let a COMMIT be lost, alone or with its process."""
        self.system.storage.losses[:] = [*[None] * spared, loss]

    @rule(moment=st.sampled_from(Moment), others=st.sampled_from(Others), delay=DELAYS)
    def others_come_between(self, moment: Moment, others: Others, delay: int) -> None:
        """Let others do something while the next call is under way."""
        self.system.wire.meanwhile = Meanwhile(moment, partial(self._work_meanwhile, others, delay))

    @rule(seed=st.integers(0, 99), errors=RATES, lost=RATES)
    def bank_has_a_bad_day(self, seed: int, errors: float, lost: float) -> None:
        """Let the simulator itself fail at random, until its next plan."""
        plan = {"seed": seed, "errors": {"rate": errors}, "lost_answers": {"rate": lost}}
        assert self.system.ask_bank("POST", "/admin/faults", plan).status_code == 200
        self.has_fault_plan = bool(errors or lost)

    @precondition(lambda self: self.is_troubled or self.system.has_surprises)
    @rule()
    def all_is_calm_again(self) -> None:
        """Let nothing go wrong any more."""
        self.calm()

    def calm(self) -> None:
        """Let nothing go wrong any more."""
        self.system.calm()
        self.has_fault_plan = False

    def _work_meanwhile(self, others: Others, delay: int) -> None:
        self.note(f"others who work meanwhile → {others}")
        self.system.pass_time(delay)
        order = self.busy_with or next(iter(self.known()), None)
        if others is Others.WORKERS:
            self._let_workers_work()
        elif others is Others.REPEAT:
            if self.under_way is not None:
                self._repeat(self.under_way, delay)
        elif order is not None and order.id is not None:
            self._ask_for(others, order)
        # Whatever that changed, the one whose call it was may not have heard.
        for each in self.orders:
            each.is_unsure = True

    def _let_workers_work(self) -> None:
        for event in self.system.bank_events():
            self.bring(event)
        self.alive(self.system.work_inbox)
        self.alive(self.system.work_janitor)
        self.expiry_works()

    def _repeat(self, sent: Sent, delay: int) -> None:
        """Send what is under way once more: while its key is leased it is told so, and never done twice."""
        is_first_call = self.system.wire.is_moving_money and sent.answer is None
        answer, was_struck = self.deliver(replace(sent, is_begun=is_first_call))
        if is_first_call and delay < LEASE_S and answer is not None and not was_struck:
            assert answer.status_code == 409, answer.text

    def _ask_for(self, what: Others, order: Order) -> None:
        path, amount = f"/v1/payments/{order.id}/{what}", order.amount
        body: Body = None
        if what is Others.CONFIRM:
            body = {"card": GOOD.on_v1}
        elif what is Others.APPROVE:
            body = {"reason": "a known customer"}
        elif what is not Others.CANCEL:
            amount = max(1, order.amount // 3)
            body = {"amount": amount}
        if what is Others.REFUND:
            path, body = "/v1/refunds", {"payment": order.id, "amount": amount}
        self.send(self.request(path, body, order, MOVEMENTS[what], amount), ANYTHING)
        order.doubt(MOVEMENTS[what], amount)
