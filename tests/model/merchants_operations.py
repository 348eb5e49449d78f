"""What merchants' servers and the lab's shop ask for."""

from contextlib import suppress
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from tests.model import expectations
from tests.model.cards import DECIDED_LATER, GOOD, Card, Judgement, fate
from tests.model.model import CHANGED, CREATED, HOLDING, PAYABLE, Movement, Order
from tests.model.stage import (
    AMOUNTS,
    ANYTHING,
    JUDGEMENTS,
    PARTS,
    UNAVAILABLE,
    USED_CARDS,
    WHICH,
    Stage,
    is_kept,
    part_of,
)
from tests.model.system_under_test import SystemUnderTest
from tests.model.wire import Died

# Of each three requests that may be final, one is.
IS_FINAL = st.sampled_from([False, False, True])


def waits_for_cardholder(order: Order) -> bool:
    """Whether its bank wants to know who pays."""
    return order.status == "requires_action"


def is_confirmable(order: Order) -> bool:
    """Whether it can be paid, or paid with another card."""
    return order.status in PAYABLE or waits_for_cardholder(order)


def is_in_review(order: Order) -> bool:
    """Whether somebody has to look at it."""
    return order.status == "in_review"


def is_capturable(order: Order) -> bool:
    """Whether money is held."""
    return order.status in HOLDING and order.capturable > 0


def is_captured(order: Order) -> bool:
    """Whether money was taken, of which some is left."""
    return order.refundable > 0


def is_cancellable(order: Order) -> bool:
    """Whether it can still be cancelled."""
    return is_confirmable(order) or is_in_review(order) or order.status in HOLDING


class Merchants(Stage):
    """Every POST of /v1 and of the lab surface that concerns payments."""

    def __init__(self, system: SystemUnderTest) -> None:
        super().__init__(system)
        self._cards = 0

    @initialize(amount=AMOUNTS, waits_for=st.sampled_from([Judgement.REVIEW, Judgement.CHALLENGE, None]))
    def open_the_shop(self, amount: int, waits_for: Judgement | None) -> None:
        """Begin with money that was taken, something that waits for somebody, and money that is held."""
        self.create_and_pay(amount, False, GOOD, Judgement.APPROVE, is_stored=True)
        card = GOOD if waits_for else DECIDED_LATER
        self.create_and_pay(amount, True, card, waits_for or Judgement.APPROVE, is_stored=False)
        self.create_and_pay(amount, True, GOOD, Judgement.APPROVE, is_stored=False)

    @rule(amount=AMOUNTS, is_manual=st.booleans())
    def create(self, amount: int, is_manual: bool) -> None:
        """Create a payment that is paid later, or never."""
        order = self.new_order(amount, is_manual=is_manual)
        sent = self.request("/v1/payments", _wish(order), order, Movement.CHARGE, amount)
        answer = self.send(sent, frozenset({201}))
        if answer is not None:
            assert answer.status_code == 201, answer.text
            order.id = answer.json["id"]

    @rule(
        amount=AMOUNTS,
        is_manual=st.booleans(),
        card=USED_CARDS,
        judgement=JUDGEMENTS,
        is_stored=st.booleans(),
    )
    def create_and_pay(
        self, amount: int, is_manual: bool, card: Card, judgement: Judgement, is_stored: bool
    ) -> None:
        """Create a payment and pay it in the same request."""
        order = self.new_order(amount, is_manual=is_manual)
        body = {**_wish(order), "confirm": True, **self._pay_with(card, is_stored=is_stored)}
        self._charge(order, "/v1/payments", body, card, judgement)

    @precondition(lambda self: self.has(is_confirmable))
    @rule(which=WHICH, card=USED_CARDS, judgement=JUDGEMENTS, is_stored=st.booleans())
    def confirm(self, which: int, card: Card, judgement: Judgement, is_stored: bool) -> None:
        """Pay with a card, or with another one."""
        order = self.pick(which, is_confirmable)
        path = f"/v1/payments/{order.id}/confirm"
        self._charge(order, path, self._pay_with(card, is_stored=is_stored), card, judgement)

    @precondition(lambda self: self.has(is_capturable))
    @rule(which=WHICH, part=PARTS, is_final=IS_FINAL)
    def capture(self, which: int, part: int | None, is_final: bool) -> None:
        """Take all or part of what is held, or too much."""
        order = self.pick(which, is_capturable)
        left = order.capturable
        amount = part_of(left or order.amount, part)
        expected = expectations.capture(order, amount, is_troubled=self.is_troubled)
        body: dict[str, Any] = (
            {"final": is_final} if amount is None else {"amount": amount, "final": is_final}
        )
        path = f"/v1/payments/{order.id}/capture"
        moved = left if amount is None else amount
        answer = self.send(self.request(path, body, order, Movement.CAPTURE, moved), expected)
        if answer is None:
            return
        if answer.status_code == 200 and order.has_doubt():
            order.is_unsure = True
            order.doubt(Movement.CAPTURE, moved)
        elif answer.status_code == 200:
            order.captured_now(moved, is_final=is_final or amount is None)
        elif answer.status_code == 202:
            order.doubt(Movement.CAPTURE, moved)

    @precondition(lambda self: self.has(is_cancellable))
    @rule(which=WHICH)
    def cancel(self, which: int) -> None:
        """Cancel, and release what is held."""
        order = self.pick(which, is_cancellable)
        was_captured = order.captured > 0
        expected = expectations.cancellation(order, is_troubled=self.is_troubled)
        sent = self.request(f"/v1/payments/{order.id}/cancel", None, order, Movement.RELEASE, 0)
        answer = self.send(sent, expected)
        if answer is None:
            return
        if answer.status_code == 202:
            order.doubt(Movement.RELEASE, 0)
        elif answer.status_code == 200 and order.has_doubt():
            order.is_unsure = True
        elif answer.status_code == 200:
            order.came_to("completed" if was_captured else "cancelled")

    @precondition(lambda self: self.has(is_captured))
    @rule(which=WHICH, part=PARTS)
    def refund(self, which: int, part: int | None) -> None:
        """Give all or part of what was captured back, or too much."""
        order = self.pick(which, is_captured)
        amount = part_of(order.refundable if order.refundable > 0 else order.amount, part)
        expected = expectations.refund(
            order, amount, is_troubled=self.is_troubled, is_contested=self.is_contested(order)
        )
        body: dict[str, Any] = {"payment": order.id, "reason": "a cup was broken"}
        moved = order.refundable if amount is None else amount
        if amount is not None:
            body["amount"] = amount
        answer = self.send(self.request("/v1/refunds", body, order, Movement.REFUND, moved), expected)
        if answer is not None and answer.status_code in {201, 202, 402, 502}:
            told = answer.json if "object" in answer.json else answer.json["refund"]
            order.refunds[told["id"]] = (moved, told["status"])

    @precondition(lambda self: self.has(is_in_review))
    @rule(which=WHICH, is_approved=st.booleans())
    def review(self, which: int, is_approved: bool) -> None:
        """Approve or reject what is held for review."""
        order = self.pick(which, is_in_review)
        verb = "approve" if is_approved else "reject"
        expected = expectations.rejection(order)
        if is_approved:
            expected = expectations.approval(order, CHANGED, is_troubled=self.is_troubled)
        body = {"reason": "a known customer"}
        sent = self.request(f"/v1/payments/{order.id}/{verb}", body, order, Movement.CHARGE, order.amount)
        answer = self.send(sent, expected)
        if answer is not None and answer.status_code != 409:
            order.came_to(_payment_in(answer.json)["status"])

    @rule(amount=AMOUNTS)
    def create_on_the_lab_surface(self, amount: int) -> None:
        """Create a payment as the shop does."""
        order = self.new_order(amount)
        body = {"user_id": 1, "order_id": int(order.order_id), "total_amount": amount / 100}
        with suppress(Died):
            answer = self.system.world.client.post("/payments", json=body)
            self.note(f"a payment of the lab → {answer.status_code}")
            assert answer.status_code == 201, answer.text
            order.lab_id = answer.json["payment_id"]

    @precondition(lambda self: any(order.lab_id for order in self.orders))
    @rule(which=WHICH, card=USED_CARDS, judgement=JUDGEMENTS)
    def process_on_the_lab_surface(self, which: int, card: Card, judgement: Judgement) -> None:
        """Send a card as the shop does: no key guards it."""
        of_lab = [order for order in reversed(self.orders) if order.lab_id is not None]
        order = of_lab[which % len(of_lab)]
        was_troubled, was_surprised = self.is_troubled, self.system.has_surprises
        strikes, self.busy_with = self.system.storage.struck, order
        self.system.judge(judgement)
        answer = None
        with suppress(Died):
            answer = self.system.world.pay(order.lab_id, card.on_lab)
        self.busy_with = None
        was_struck = self.system.storage.struck > strikes
        self.note(f"process → {answer.status_code if answer else 'death'}")
        if answer is None or (was_surprised and answer.status_code == UNAVAILABLE):
            order.card = card
            order.in_the_dark(Movement.CHARGE, order.amount)
            return
        if order.status == "completed" and not was_struck:
            assert answer.status_code == 200, answer.text
            assert answer.json["is_paid"]
            return
        assert answer.status_code in ANYTHING, answer.text
        if was_surprised:
            order.card = card
        elif order.status in PAYABLE:
            codes = {each: 402 if code == 422 else code for each, code in CHANGED.items()}
            chosen = fate(card, judgement, order.amount)
            expected = expectations.charge(order, chosen, codes, is_troubled=was_troubled)
            assert answer.status_code in expected, f"{answer.status_code}, not {set(expected)}: {answer.text}"
            order.card = card
        # What it came to is seen on /v1; here only that nobody is told too much.
        order.is_unsure = True
        if answer.status_code == 202:
            order.doubt(Movement.CHARGE, order.amount)
        elif answer.status_code == 200:
            assert answer.json["is_paid"]
            order.doubt(Movement.CHARGE, order.amount)

    def is_contested(self, order: Order) -> bool:
        """Whether the bank may know of disputes about the order of which we have not heard."""
        raise NotImplementedError

    def _charge(
        self, order: Order, path: str, body: dict[str, Any], card: Card, judgement: Judgement
    ) -> None:
        is_new = order.id is None
        chosen = fate(card, judgement, order.amount)
        codes = CREATED if is_new else CHANGED
        expected = expectations.charge(order, chosen, codes, is_troubled=self.is_troubled)
        was_payable = order.status in PAYABLE
        is_usual = not (self.is_troubled or self.system.has_surprises)
        self.system.judge(judgement)
        answer = self.send(self.request(path, body, order, Movement.CHARGE, order.amount), expected)
        if answer is None:
            order.card = card
            return
        if answer.status_code == 409 or not (is_usual or is_kept(answer)):
            return
        told = _payment_in(answer.json)
        order.id, order.card = told["id"], card
        order.came_to(told["status"])
        if was_payable and is_usual:
            assert order.status == order.status_after(chosen), answer.text

    def _pay_with(self, card: Card, *, is_stored: bool) -> dict[str, Any]:
        if not is_stored:
            return {"card": card.on_v1}
        self._cards += 1
        key = f"card {self._cards}"
        for _ in range(3):  # a COMMIT may be lost, or two
            with suppress(Died):
                answer = self.system.shop.post(
                    self.system.world, "/v1/payment-methods", {"card": card.on_v1}, key
                )
                if answer.status_code == 201:
                    return {"payment_method": answer.json["id"]}
                assert answer.status_code == UNAVAILABLE, answer.text
        raise AssertionError("The card cannot be stored.")


def _wish(order: Order) -> dict[str, Any]:
    return {
        "amount": order.amount,
        "currency": "MAD",
        "order_id": order.order_id,
        "capture_method": "manual" if order.is_manual else "automatic",
        # Whoever has an address gets a receipt.
        "customer": {"email": "customer@example.org"} if order.is_manual else {},
    }


def _payment_in(document: Any) -> Any:
    return document if document.get("object") == "payment" else document["payment"]
