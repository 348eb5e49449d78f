"""What cardholders, banks, the network, time and our own workers do meanwhile."""

import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule
from payment_service.testing.client import Answer

from tests.model.merchants_operations import CAPTURED, Merchants
from tests.model.model import Order
from tests.model.stage import REPLAYED, WHICH, Sent, is_kept, part_of
from tests.model.town import MERCHANT, Town
from tests.model.wire import Died, Trouble

MINUTE, HOUR, DAY = 60, 3600, 86_400
# Just so long that something is due: an ask, the margin of clocks, a challenge, a review, a hold.
PAUSES = st.sampled_from([3, 11, 31, 5 * MINUTE, 16 * MINUTE, 2 * HOUR, 25 * HOUR, 8 * DAY])
ANSWERS = st.sampled_from(["right", "wrong", "cancelled"])
SHARES = st.sampled_from([None, 1, 40, 100])
RATES = st.sampled_from([0.0, 0.3, 1.0])
CODE = "123456"


class World(Merchants):
    """Everything that happens without the merchant's asking."""

    def __init__(self, town: Town) -> None:
        super().__init__(town)
        # Disputes at the bank by id: the order, and how it stands there.
        self.disputes: dict[str, tuple[Order, str]] = {}
        self.has_news = False

    def is_contested(self, order: Order) -> bool:
        """Whether the bank may know of disputes about the order of which we have not heard."""
        return any(each is order for each, _ in self.disputes.values())

    @precondition(lambda self: self.has(frozenset({"requires_action"})))
    @rule(which=WHICH, answer=ANSWERS)
    def cardholder_answers(self, which: int, answer: str) -> None:
        """Pass the challenge, fail it for good, or give up; whoever does nothing lets time pass."""
        pages = [str(row["redirect_url"]) for row in self._requests() if row["status"] == "requires_action"]
        if not pages:
            return
        token = pages[which % len(pages)].rpartition("/")[2]
        if answer == "cancelled":
            self.town.answer_challenge(token, action="cancel")
        for _ in range({"right": 1, "wrong": 3}.get(answer, 0)):
            self.town.answer_challenge(token, code=CODE if answer == "right" else "000000")

    @precondition(lambda self: any(order.has_doubt() for order in self.orders))
    @rule(which=WHICH, is_approved=st.booleans())
    def bank_decides(self, which: int, is_approved: bool) -> None:
        """Let the bank come to its decision about what it kept pending."""
        pending = [row["request_id"] for row in self._requests() if row["status"] == "pending"]
        if pending:
            body = {"status": "approved" if is_approved else "declined"}
            path = f"/admin/requests/{pending[which % len(pending)]}/decide"
            assert self.town.ask_bank("POST", path, body).status_code == 200

    @precondition(lambda self: self.has(CAPTURED))
    @rule(which=WHICH, share=SHARES)
    def cardholder_disputes(self, which: int, share: int | None) -> None:
        """Let a cardholder want money back through the bank."""
        order = self.pick(which, CAPTURED)
        if not order.captured:
            return
        originals = [
            row["request_id"]
            for row in self._requests()
            if row["order_id"] == order.order_id
            and row["kind"] in {"sale", "authorization"}
            and row["status"] == "approved"
        ]
        body = {"original_request_id": originals[-1], "reason": "fraudulent"}
        amount = part_of(order.captured, share)
        answer = self.town.ask_bank(
            "POST", "/admin/disputes", body if amount is None else {**body, "amount_minor": amount}
        )
        if answer.status_code == 201:
            self.disputes[answer.get_json()["dispute_id"]] = (order, "open")

    @precondition(lambda self: any(status == "open" for _, status in self.disputes.values()))
    @rule(which=WHICH, is_won=st.booleans())
    def dispute_ends(self, which: int, is_won: bool) -> None:
        """Let the banks decide a dispute."""
        is_open = [name for name, (_, status) in self.disputes.items() if status == "open"]
        name, end = is_open[which % len(is_open)], "won" if is_won else "lost"
        assert self.town.ask_bank("POST", f"/admin/disputes/{name}/{end}").status_code == 200
        self.disputes[name] = (self.disputes[name][0], end)

    @precondition(lambda self: self.town.bank_events())
    @rule(dice=st.randoms(use_true_random=False), is_twice=st.booleans(), are_all=st.booleans())
    def webhooks_arrive(self, dice: random.Random, is_twice: bool, are_all: bool) -> None:
        """Deliver events of the bank, in any order, some twice; the others are late."""
        events = self.town.bank_events()
        dice.shuffle(events)
        for event in events if are_all else events[:1]:
            for _ in range(2 if is_twice else 1):
                assert self.town.deliver(event) == 202
        self.has_news = True

    @precondition(lambda self: self.has_news)
    @rule()
    def worker_settles_the_inbox(self) -> None:
        """Let the worker find out what the bank's events mean."""
        self.has_news = False
        self.alive(self.town.work_inbox)

    @rule(pause=PAUSES)
    def time_passes(self, pause: int) -> None:
        """Let time pass."""
        self.town.pass_time(pause)

    @rule(pause=PAUSES)
    def janitor_works(self, pause: int) -> None:
        """Let time pass, then ask about what is open."""
        self.town.pass_time(pause)
        self.alive(self.town.work_janitor)

    @rule()
    def expiry_works(self) -> None:
        """End what is over in time."""
        self.may_expire = True
        for order in self.orders:
            order.may_end(self.town.clock.now())
        self.alive(self.town.work_expiry)

    @precondition(lambda self: self.sent)
    @rule(which=WHICH)
    def request_comes_again(self, which: int) -> None:
        """Send an earlier request again, under its key: it is answered again, and moves nothing."""
        sent = self.sent[-1 - which % len(self.sent)]
        calls = self.town.wire.money_calls
        answer = self._again(sent)
        assert self.town.wire.money_calls == calls, "a repeat moved money"
        if answer is None:
            return
        if sent.answer is not None:
            same = (answer.status_code, answer.text) == (sent.answer.status_code, sent.answer.text)
            assert same, f"{answer.text} is no replay of {sent.answer.text}"
            assert answer.headers.get(REPLAYED) == "true"
        elif is_kept(answer):
            sent.answer = answer
            # What its death left open may have been found out, to answer it.
            sent.order.is_unsure = True
        else:
            assert answer.status_code == 409, answer.text

    @precondition(lambda self: any(sent.answer and sent.body for sent in self.sent))
    @rule(which=WHICH)
    def key_is_used_for_something_else(self, which: int) -> None:
        """Send other parameters under a key that was used."""
        done = [sent for sent in reversed(self.sent) if sent.answer is not None and sent.body]
        sent = done[which % len(done)]
        other = replace(sent, body=_otherwise(sent.body or {}))
        calls = self.town.wire.money_calls
        answer = self._again(other)
        assert answer is not None
        assert answer.status_code == 422, answer.text
        assert self.town.wire.money_calls == calls

    @rule(troubles=st.lists(st.sampled_from(Trouble), min_size=1, max_size=3))
    def trouble_is_near(self, troubles: list[Trouble]) -> None:
        """Let something befall the next calls of the bank."""
        self.town.wire.troubles[:] = troubles
        self.nothing_happened = True

    @rule(seed=st.integers(0, 99), errors=RATES, lost=RATES)
    def bank_has_a_bad_day(self, seed: int, errors: float, lost: float) -> None:
        """Let the simulator itself fail at random, until its next plan."""
        plan = {"seed": seed, "errors": {"rate": errors}, "lost_answers": {"rate": lost}}
        assert self.town.ask_bank("POST", "/admin/faults", plan).status_code == 200
        self.has_fault_plan = bool(errors or lost)
        self.nothing_happened = True

    @precondition(lambda self: self.is_troubled)
    @rule()
    def all_is_calm_again(self) -> None:
        """Let nothing go wrong any more."""
        self.calm()
        self.nothing_happened = True

    def calm(self) -> None:
        """Let nothing go wrong any more."""
        self.town.wire.calm()
        self.town.ask_bank("DELETE", "/admin/faults")
        self.has_fault_plan = False

    def alive(self, work: Callable[[], None]) -> None:
        """Let a worker work, which may die over it."""
        try:
            work()
        except Died:
            # Whatever it had settled by then is news.
            for order in self.orders:
                order.is_unsure = True

    def _again(self, sent: Sent) -> Answer | None:
        try:
            return self.town.shop.post(self.town.world, sent.path, sent.body, sent.key)
        except Died:
            return None

    def _requests(self) -> list[dict[str, object]]:
        answer = self.town.ask_bank("GET", f"/admin/requests?merchant_id={MERCHANT}")
        rows: list[dict[str, object]] = answer.get_json()["requests"]
        return rows


def _otherwise(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return a valid body that asks for something else."""
    if "reason" in body:
        return {**body, "reason": "another reason"}
    if "card" in body:
        return {**body, "card": {**body["card"], "exp_month": 2}}
    if "payment_method" in body:
        return {**body, "payment_method": "pm_0"}
    return {**body, "amount": 77}
