"""What cardholders, banks, the network, time and our own workers do meanwhile."""

import random
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule
from service_kit.db.database import CommitOutcomeUnknown

from tests.model.checks import untrue_tellings
from tests.model.merchants_operations import Merchants, is_captured, waits_for_cardholder
from tests.model.model import Movement, Order
from tests.model.stage import REPLAYED, UNAVAILABLE, WHICH, is_kept, part_of
from tests.model.system_under_test import MERCHANT, BankEvent, SystemUnderTest
from tests.model.wire import Died, Trouble

MINUTE, HOUR, DAY = 60, 3600, 86_400
# Just so long that something is due: an ask, the margin of clocks, a challenge, a review, a hold.
PAUSES = st.sampled_from(
    [*[3, 11, 31] * 3, *[5 * MINUTE] * 2, *[16 * MINUTE] * 2, 2 * HOUR, 25 * HOUR, 8 * DAY]
)
ANSWERS = st.sampled_from(["right", "wrong", "cancelled"])
SHARES = st.sampled_from([None, 1, 40, 100])
DECIDED_BY_BANKS = (Movement.CHARGE, Movement.REFUND)
# As the service is set, and what the clocks of a request and of its sequence may differ.
KEPT, MARGIN = timedelta(hours=24), timedelta(minutes=1)
CODE = "123456"


class World(Merchants):
    """Everything that happens without the merchant's asking."""

    def __init__(self, system: SystemUnderTest) -> None:
        super().__init__(system)
        # Disputes at the bank by id: the order, and how it stands there.
        self.disputes: dict[str, tuple[Order, str]] = {}
        self.has_mail = False

    def is_contested(self, order: Order) -> bool:
        """Whether the bank may know of disputes about the order of which we have not heard."""
        return any(each is order for each, _ in self.disputes.values())

    @precondition(lambda self: self.has(waits_for_cardholder))
    @rule(which=WHICH, answer=ANSWERS)
    def cardholder_answers(self, which: int, answer: str) -> None:
        """Pass the challenge, fail it for good, or give up; whoever does nothing lets time pass."""
        pages = [str(row["redirect_url"]) for row in self._requests() if row["status"] == "requires_action"]
        if not pages:
            return
        token = pages[which % len(pages)].rpartition("/")[2]
        if answer == "cancelled":
            self.system.answer_challenge(token, action="cancel")
        for _ in range({"right": 1, "wrong": 3}.get(answer, 0)):
            self.system.answer_challenge(token, code=CODE if answer == "right" else "000000")
        self.note(f"the cardholder answers → {answer}")

    @precondition(lambda self: any(order.has_doubt(*DECIDED_BY_BANKS) for order in self.orders))
    @rule(which=WHICH, is_approved=st.booleans())
    def bank_decides(self, which: int, is_approved: bool) -> None:
        """Let the bank come to its decision about what it kept pending."""
        pending = [row["request_id"] for row in self._requests() if row["status"] == "pending"]
        if pending:
            body = {"status": "approved" if is_approved else "declined"}
            path = f"/admin/requests/{pending[which % len(pending)]}/decide"
            assert self.system.ask_bank("POST", path, body).status_code == 200
            self.note(f"the bank decides → {body['status']}")

    @precondition(lambda self: self.has(is_captured))
    @rule(which=WHICH, share=SHARES)
    def cardholder_disputes(self, which: int, share: int | None) -> None:
        """Let a cardholder want money back through the bank."""
        order = self.pick(which, is_captured)
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
        answer = self.system.ask_bank(
            "POST", "/admin/disputes", body if amount is None else {**body, "amount_minor": amount}
        )
        if answer.status_code == 201:
            self.disputes[answer.get_json()["dispute_id"]] = (order, "open")
            self.has_disputes = True
            self.note("a dispute → opened")

    @precondition(lambda self: any(status == "open" for _, status in self.disputes.values()))
    @rule(which=WHICH, is_won=st.booleans())
    def dispute_ends(self, which: int, is_won: bool) -> None:
        """Let the banks decide a dispute."""
        is_open = [name for name, (_, status) in self.disputes.items() if status == "open"]
        name, end = is_open[which % len(is_open)], "won" if is_won else "lost"
        assert self.system.ask_bank("POST", f"/admin/disputes/{name}/{end}").status_code == 200
        self.disputes[name] = (self.disputes[name][0], end)
        self.note(f"a dispute → {end}")

    @precondition(lambda self: self.system.bank_events())
    @rule(dice=st.randoms(use_true_random=False), is_twice=st.booleans(), are_all=st.booleans())
    def webhooks_arrive(self, dice: random.Random, is_twice: bool, are_all: bool) -> None:
        """Deliver events of the bank, in any order, some twice; the others are late."""
        events = self.system.bank_events()
        dice.shuffle(events)
        for event in events if are_all else events[:1]:
            for _ in range(2 if is_twice else 1):
                self.bring(event)
        self.has_mail = True

    @precondition(lambda self: self.has_mail)
    @rule()
    def worker_settles_the_inbox(self) -> None:
        """Let the worker find out what the bank's events mean."""
        self.has_mail = False
        self.alive(self.system.work_inbox)
        self.note("the inbox is worked off")

    @rule(troubles=st.lists(st.sampled_from([None, *Trouble]), max_size=4))
    def worker_delivers_the_outbox(self, troubles: list[Trouble | None]) -> None:
        """Let the worker tell everybody what happened; some of that is lost on its way."""
        self.system.post.befall(troubles)
        self.alive(self.system.work_outbox)
        self.note("the outbox is worked off")
        self.system.post.calm()
        wrong = list(untrue_tellings(self.system))
        assert not wrong, "\n".join(wrong)

    @rule(pause=PAUSES)
    def time_passes(self, pause: int) -> None:
        """Let time pass."""
        self.system.pass_time(pause)
        self.note("time passes")

    @rule(pause=PAUSES)
    def janitor_works(self, pause: int) -> None:
        """Let time pass, then ask about what is open."""
        self.system.pass_time(pause)
        self.alive(self.system.work_janitor)
        self.note("the janitor works")

    @rule()
    def expiry_works(self) -> None:
        """End what is over in time."""
        self.may_expire = True
        for order in self.orders:
            order.may_end(self.system.clock.now())
        self.alive(self.system.work_expiry)
        self.note("the expiry works")

    @precondition(lambda self: self.sent)
    @rule(which=WHICH)
    def request_comes_again(self, which: int) -> None:
        """Send an earlier request again, under its key: it is answered again, and moves nothing.

        One that died may not have begun: then it does now.
        """
        sent = self.sent[-1 - which % len(self.sent)]
        if sent.answer is None and not sent.is_begun:
            sent.order.in_the_dark(sent.what, sent.amount)
        answer, was_struck = self.deliver(sent)
        self.note(f"a repeat of {sent.verb} → {answer.status_code if answer else 'death'}")
        if answer is None or (was_struck and answer.status_code in {202, UNAVAILABLE}):
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
            assert answer.status_code == 409 or not sent.is_begun, answer.text

    @precondition(lambda self: any(sent.answer and sent.body for sent in self.sent))
    @rule(which=WHICH)
    def key_is_used_for_something_else(self, which: int) -> None:
        """Send other parameters under a key that was used."""
        done = [sent for sent in reversed(self.sent) if sent.answer is not None and sent.body]
        sent = done[which % len(done)]
        other = replace(sent, body=_otherwise(sent.body or {}), is_begun=True)
        answer, _ = self.deliver(other)
        assert answer is None or answer.status_code == 422, answer.text
        self.note("a key for something else → 422")

    @rule(pause=st.sampled_from([0, 25 * HOUR]))
    def old_keys_are_pruned(self, pause: int) -> None:
        """Let the worker forget the keys that are older than a day; they can be used again."""
        self.system.pass_time(pause)
        strikes = self.system.storage.struck
        ages = [(sent, self.system.clock.now() - sent.sent_at) for sent in self.sent]
        self.alive(self.system.prune_keys)
        is_pruned = self.system.storage.struck == strikes
        for sent, age in ages:
            if age > KEPT - MARGIN:
                self.sent.remove(sent)
            if is_pruned and age > KEPT + MARGIN and sent.answer is not None and sent.path == "/v1/payments":
                self.forgotten_keys.append(sent.key)
                self.note("a key → pruned")

    def bring(self, event: BankEvent) -> None:
        """Deliver an event of the bank; one that the service could not store comes again."""
        strikes = self.system.storage.struck
        with suppress(Died):
            status = self.system.deliver(event)
            assert status == 202 or self.system.storage.struck > strikes, status
            self.note(f"a webhook → {status}")

    def alive(self, work: Callable[[], object]) -> None:
        """Let a worker work, which may die over it, or lose its connection and go on at its next turn."""
        strikes, was_surprised = self.system.storage.struck, self.system.has_surprises
        with suppress(Died, CommitOutcomeUnknown):
            work()
            if self.system.storage.struck == strikes and not was_surprised:
                return
        # Whatever it had settled by then is news.
        for order in self.orders:
            order.is_unsure = True

    def _requests(self) -> list[dict[str, object]]:
        answer = self.system.ask_bank("GET", f"/admin/requests?merchant_id={MERCHANT}")
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
