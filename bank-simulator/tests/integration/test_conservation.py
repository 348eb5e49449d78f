"""Any sequence of operations, compared with a bank of a dozen lines that keeps everything in memory."""

import itertools
from dataclasses import dataclass, field

import pytest
from bank_simulator.domain.accounts import KNOWN
from bank_simulator.extensions import db
from bank_simulator.models import Account
from bank_simulator.queries.verify_books import verify_books
from bank_simulator.values.vocabulary import AccountKind
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select, text

from tests.testkit.bank import Answer

pytestmark = pytest.mark.deep_on("mariadb")

LIMITED = "4000100000000026"
LIMIT = 500_00

# Small against the limit, so that there is something to follow up; sums of them meet every boundary.
PAYMENTS = st.sampled_from([100_00, 200_00, 500_00])
PARTS = st.sampled_from([1, 50_00, 100_00, 200_00])
# Counted from the latest original, because that is the one about which something is still open.
ORIGINALS = st.integers(0, 2)
# A challenged sale is passed or abandoned at once, a dispute stays open or ends at once.
PAYS = ["sales", "authorizations", "sales passed", "sales abandoned"]
DISPUTES = ["disputes open", "disputes won", "disputes lost"]
PAY = st.tuples(st.sampled_from(PAYS), PAYMENTS, st.none())
FOLLOW_UP = st.one_of(
    st.tuples(st.just("captures"), PARTS, st.tuples(ORIGINALS, st.booleans())),
    st.tuples(st.just("refunds"), PARTS, st.tuples(ORIGINALS, st.just(False))),
    st.tuples(st.just("voids"), st.just(0), st.tuples(ORIGINALS, st.just(False))),
    st.tuples(st.sampled_from(DISPUTES), PARTS, st.tuples(ORIGINALS, st.just(False))),
)
Step = tuple[str, int, tuple[int, bool] | None]
STEPS = st.builds(
    lambda first, rest: [first, *rest],
    PAY,
    st.lists(st.one_of(PAY, FOLLOW_UP, FOLLOW_UP, FOLLOW_UP), min_size=4, max_size=14),
)


@dataclass
class Original:
    is_sale: bool
    held: int
    captured: int
    refunded: int = 0
    disputed: int = 0
    is_voided: bool = False


@dataclass
class SimpleBank:
    """What should happen."""

    available: int = LIMIT
    originals: list[Original | None] = field(default_factory=list)

    def pay(self, kind: str, amount: int) -> bool:
        is_sale = kind.startswith("sales")
        can_pay = amount <= self.available and kind != "sales abandoned"
        if can_pay:
            self.available -= amount
        paid = Original(is_sale, 0 if is_sale else amount, amount if is_sale else 0) if can_pay else None
        self.originals.append(paid)
        return can_pay

    def follow_up(self, kind: str, amount: int, which: int, *, is_final: bool) -> bool:
        original = self.originals[-1 - which] if which < len(self.originals) else None
        if original is None:
            return False
        if kind == "captures":
            return self._capture(original, amount, is_final=is_final)
        if kind == "refunds":
            return self._refund(original, amount)
        if kind in DISPUTES:
            return self._dispute(original, amount, end=kind.split()[1])
        return self._void(original)

    def _capture(self, original: Original, amount: int, *, is_final: bool) -> bool:
        if amount > original.held:
            return False
        original.held -= amount
        original.captured += amount
        if is_final:
            self.available += original.held
            original.held = 0
        return True

    def _refund(self, original: Original, amount: int) -> bool:
        if original.is_voided or original.refunded + original.disputed + amount > original.captured:
            return False
        original.refunded += amount
        self.available += amount
        return True

    def _dispute(self, original: Original, amount: int, end: str) -> bool:
        if original.is_voided or original.disputed + amount > original.captured:
            return False
        original.disputed += 0 if end == "won" else amount
        self.available += amount if end == "lost" else 0
        return True

    def _void(self, original: Original) -> bool:
        if original.held:
            self.available += original.held
            original.held = 0
            return True
        if not original.is_sale or original.refunded or original.disputed or original.is_voided:
            return False
        original.is_voided = True
        self.available += original.captured
        return True

    @property
    def merchants_money(self) -> int:
        return sum(o.captured - o.refunded - o.disputed for o in self.originals if o and not o.is_voided)


class RealBank:
    """The simulator, through its HTTP interface without a socket."""

    def __init__(self, client: FlaskClient, run: int) -> None:
        self._client = client
        self._run = run
        self._numbers = itertools.count()
        self._originals: list[str] = []

    def post(self, path: str, body: Answer | None = None) -> Answer:
        headers = {"Authorization": "Bearer lab-bank-token"}
        answer: Answer = self._client.post(path, json=body, headers=headers).get_json()
        return answer

    def pay(self, kind: str, amount: int) -> bool:
        card = {"number": LIMITED, "exp_month": 1, "exp_year": 2030, "cvv": "123"}
        path, _, then = kind.partition(" ")
        body: Answer = {
            "request_id": self._next_id(),
            "amount_minor": amount,
            "currency": "MAD",
            "card": card,
            "merchant_id": "mer",
            "order_id": "1",
        }
        if then:
            body["three_ds"] = {"mode": "required", "return_url": "https://shop.example/"}
        self._originals.append(body["request_id"])
        answer = self.post(f"/network/{path}", body)
        if then == "passed":
            token = answer["redirect_url"].rsplit("/", 1)[1]
            self._client.post(f"/acs/{token}", data={"code": "123456"})
        if then == "abandoned":
            self.post(f"/network/requests/{body['request_id']}/abandon")
        return bool(self.post(f"/network/{path}", body)["status"] == "approved")

    def follow_up(self, kind: str, amount: int, which: int, *, is_final: bool) -> bool:
        known = which < len(self._originals)
        body: Answer = {"original_request_id": self._originals[-1 - which] if known else "nobody"}
        if kind in DISPUTES:
            return self._dispute({**body, "amount_minor": amount}, end=kind.split()[1])
        body["request_id"] = self._next_id()
        if kind != "voids":
            body["amount_minor"] = amount
        if kind == "captures":
            body["final"] = is_final
        return bool(self.post(f"/network/{kind}", body)["status"] == "approved")

    def _dispute(self, body: Answer, end: str) -> bool:
        answer = self.post("/admin/disputes", body)
        is_open = bool(answer["status"] == "open")
        if is_open and end != "open":
            self.post(f"/admin/disputes/{answer['dispute_id']}/{end}")
        return is_open

    def _next_id(self) -> str:
        return f"r{self._run}_{next(self._numbers)}"


RUNS = itertools.count()


def start_over(app: Flask) -> None:
    """Forget all business, so that the card has its whole opening deposit again."""
    with app.app_context():
        db.in_transaction(
            lambda session: [
                session.execute(text("DELETE FROM entries")),
                session.execute(text("DELETE FROM disputes")),
                session.execute(text("UPDATE network_requests SET original_row_id = NULL")),
                session.execute(text("DELETE FROM network_requests")),
                session.execute(delete(Account)),
            ]
        )
    app.extensions[KNOWN].clear()


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=STEPS)
def test_any_sequence_ends_as_it_should_and_the_books_add_up(own_app: Flask, steps: list[Step]) -> None:
    start_over(own_app)
    simple, real = SimpleBank(), RealBank(own_app.test_client(), next(RUNS))

    for kind, amount, about in steps:
        if about is None:
            assert real.pay(kind, amount) == simple.pay(kind, amount)
        else:
            which, is_final = about
            ours = real.follow_up(kind, amount, which, is_final=is_final)
            assert ours == simple.follow_up(kind, amount, which, is_final=is_final)

    with own_app.app_context():
        assert verify_books().differences == []
        with db.reading() as session:
            query = select(Account.balance_minor).where(Account.kind == AccountKind.CARDHOLDER)
            balance = session.scalar(query)
    assert (LIMIT if balance is None else balance) == simple.available
    totals = own_app.test_client().get("/admin/totals", headers={"Authorization": "Bearer lab-bank-token"})
    assert sum(row["net_minor"] for row in totals.get_json()["totals"]) == simple.merchants_money
