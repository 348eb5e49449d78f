"""What merchants' servers and the lab's shop ask for."""

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from tests.model import expectations
from tests.model.cards import GOOD, Card, Judgement, fate
from tests.model.model import CHANGED, CREATED, HOLDING, PAYABLE, Movement, Order
from tests.model.stage import AMOUNTS, JUDGEMENTS, PARTS, USED_CARDS, WHICH, Stage, part_of
from tests.model.wire import Died

IN_REVIEW = frozenset({"in_review"})
CONFIRMABLE = PAYABLE | {"requires_action"}
CANCELLABLE = CONFIRMABLE | IN_REVIEW | HOLDING
CAPTURED = frozenset({"completed", "partially_captured"})
ANYTHING = frozenset({200, 201, 202, 402, 409, 422, 502})


class Merchants(Stage):
    """Every POST of /v1 and of the lab surface that concerns payments."""

    @initialize(amount=AMOUNTS)
    def open_the_shop(self, amount: int) -> None:
        """Begin with some money that is held, and some that was taken."""
        for is_manual in (True, False):
            self.create_and_pay(amount, is_manual, GOOD, Judgement.APPROVE, is_stored=not is_manual)

    @rule(amount=AMOUNTS, is_manual=st.booleans())
    def create(self, amount: int, is_manual: bool) -> None:
        """Create a payment that is paid later, or never."""
        order = self.new_order(amount, is_manual=is_manual)
        sent = self.request("/v1/payments", _wish(order), order, Movement.CHARGE, amount)
        answer = self.send(sent, frozenset({201}))
        assert answer is not None
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

    @precondition(lambda self: self.has(CONFIRMABLE))
    @rule(which=WHICH, card=USED_CARDS, judgement=JUDGEMENTS, is_stored=st.booleans())
    def confirm(self, which: int, card: Card, judgement: Judgement, is_stored: bool) -> None:
        """Pay with a card, or with another one."""
        order = self.pick(which, CONFIRMABLE)
        path = f"/v1/payments/{order.id}/confirm"
        self._charge(order, path, self._pay_with(card, is_stored=is_stored), card, judgement)

    @precondition(lambda self: self.has(HOLDING))
    @rule(which=WHICH, part=PARTS, is_final=st.booleans())
    def capture(self, which: int, part: int | None, is_final: bool) -> None:
        """Take all or part of what is held, or too much."""
        order = self.pick(which, HOLDING)
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

    @precondition(lambda self: self.has(CANCELLABLE))
    @rule(which=WHICH)
    def cancel(self, which: int) -> None:
        """Cancel, and release what is held."""
        order = self.pick(which, CANCELLABLE)
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

    @precondition(lambda self: self.has(CAPTURED))
    @rule(which=WHICH, part=PARTS)
    def refund(self, which: int, part: int | None) -> None:
        """Give all or part of what was captured back, or too much."""
        order = self.pick(which, CAPTURED)
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

    @precondition(lambda self: self.has(IN_REVIEW))
    @rule(which=WHICH, is_approved=st.booleans())
    def review(self, which: int, is_approved: bool) -> None:
        """Approve or reject what is held for review."""
        order = self.pick(which, IN_REVIEW)
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
        answer = self.town.world.client.post("/payments", json=body)
        assert answer.status_code == 201, answer.text
        order.lab_id = answer.json["payment_id"]

    @precondition(lambda self: any(order.lab_id for order in self.orders))
    @rule(which=WHICH, card=USED_CARDS, judgement=JUDGEMENTS)
    def process_on_the_lab_surface(self, which: int, card: Card, judgement: Judgement) -> None:
        """Send a card as the shop does: no key guards it."""
        of_lab = [order for order in reversed(self.orders) if order.lab_id is not None]
        order = of_lab[which % len(of_lab)]
        was_troubled = self.is_troubled
        self.town.judge(judgement)
        try:
            answer = self.town.world.pay(order.lab_id, card.on_lab)
        except Died:
            order.is_unsure, order.card = True, card
            order.doubt(Movement.CHARGE, order.amount)
            return
        if order.status == "completed":
            assert answer.status_code == 200, answer.text
            assert answer.json["is_paid"]
            return
        assert answer.status_code in ANYTHING, answer.text
        was_payable = order.status in PAYABLE
        if was_payable:
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
        is_troubled = self.is_troubled
        self.town.judge(judgement)
        answer = self.send(self.request(path, body, order, Movement.CHARGE, order.amount), expected)
        if answer is None:
            order.card = card
            return
        if answer.status_code == 409 or (answer.status_code == 502 and "payment" not in answer.json):
            return
        told = _payment_in(answer.json)
        order.id, order.card = told["id"], card
        order.came_to(told["status"])
        if was_payable and not is_troubled:
            assert order.status == order.status_after(chosen), answer.text

    def _pay_with(self, card: Card, *, is_stored: bool) -> dict[str, Any]:
        if not is_stored:
            return {"card": card.on_v1}
        answer = self.town.shop.post(self.town.world, "/v1/payment-methods", {"card": card.on_v1})
        assert answer.status_code == 201, answer.text
        return {"payment_method": answer.json["id"]}


def _wish(order: Order) -> dict[str, Any]:
    return {
        "amount": order.amount,
        "currency": "MAD",
        "order_id": order.order_id,
        "capture_method": "manual" if order.is_manual else "automatic",
    }


def _payment_in(document: Any) -> Any:
    return document if document.get("object") == "payment" else document["payment"]
