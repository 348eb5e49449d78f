"""The README's table of answers to whoever pays: each row is played, and answered as it says."""

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from payment_service.models.payment import Payment
from payment_service.providers.port import Outcome, ProviderCharge, ProviderResult
from payment_service.values.statuses import FraudDecision, PaymentStatus
from sqlalchemy import ColumnElement, update

from tests.testkit.payments.cards import V1_CARD
from tests.testkit.payments.client import Answer
from tests.testkit.payments.merchant import TestMerchant
from tests.testkit.payments.scripted.bank import SaleBehaviour, ScriptedBank
from tests.testkit.payments.scripted.sales import be_full, challenge, decline, lose_request, refuse_connection
from tests.testkit.payments.world import World

pytestmark = pytest.mark.engines("sqlite")

README = Path(__file__).parents[2] / "README.md"
TITLE = "## What is answered to whoever pays"


class Payer:
    """Somebody with a payment to pay; its answers stand in a column of the table."""

    answers_in: int
    column: ColumnElement[Any]
    nobody: int | str
    payment_id: int | str

    def __init__(self, world: World) -> None:
        self.world = world

    def pay(self) -> Answer:
        raise NotImplementedError


class LabPayer(Payer):
    """Sends a card to the lab surface."""

    answers_in, column, nobody = 0, Payment.__table__.c.id, 0

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.payment_id = world.create()

    def pay(self) -> Answer:
        return self.world.pay(self.payment_id)


class MerchantsServer(Payer):
    """Confirms a payment on /v1."""

    answers_in, column, nobody = 1, Payment.__table__.c.public_id, "pay_nobody"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.merchant = TestMerchant.of(world)
        self.payment_id = self.merchant.create(399998, is_held=False)

    def pay(self) -> Answer:
        return self.merchant.post(f"/v1/payments/{self.payment_id}/confirm", {"card": dict(V1_CARD)})


Play = Callable[[Payer], Answer]


def rows() -> Mapping[str, Sequence[str]]:
    """Return the table: what the payment is, and the answer to each payer."""
    section = README.read_text().partition(f"{TITLE}\n")[2].partition("\n## ")[0]
    cells = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("| ")]
    return {situation: answers for situation, *answers in cells[1:]}


def give_up(bank: ScriptedBank, request: ProviderCharge) -> ProviderResult:
    return bank.remember(request.attempt_id, ProviderResult(Outcome.ABANDONED))


def bank_does(behaviour: SaleBehaviour) -> Play:
    def play(payer: Payer) -> Answer:
        payer.world.bank.script = [behaviour]
        return payer.pay()

    return play


def fraud_says(decision: FraudDecision | None) -> Play:
    def play(payer: Payer) -> Answer:
        payer.world.fraud.script = [decision]
        if decision is FraudDecision.CHALLENGE:
            payer.world.bank.script = [challenge]
        return payer.pay()

    return play


def pay(payer: Payer) -> Answer:
    return payer.pay()


def pay_again(payer: Payer) -> Answer:
    payer.pay()
    return payer.pay()


def pay_beside_another(payer: Payer) -> Answer:
    others: list[Answer] = []
    payer.world.fraud.meanwhile = lambda: others.append(payer.world.in_other_thread(payer.pay))
    payer.pay()
    return others[0]


def pay_what_is(status: PaymentStatus) -> Play:
    def play(payer: Payer) -> Answer:
        close = update(Payment).where(payer.column == payer.payment_id).values(status=status)
        payer.world.change(lambda session: session.execute(close))
        return payer.pay()

    return play


def pay_without_database(payer: Payer) -> Answer:
    with payer.world.losing_database(after_units=0):
        return payer.pay()


def pay_what_is_not_there(payer: Payer) -> Answer:
    payer.payment_id = payer.nobody
    return payer.pay()


# By the first words of the row.
PLAYS: Mapping[str, tuple[Play, ...]] = {
    "payable, and the bank approves": (pay,),
    "paid already": (pay_again,),
    "declined by the bank": (bank_does(decline("lost_card")),),
    "declined by fraud-service": (fraud_says(FraudDecision.DECLINE),),
    "unknown even after asking": (bank_does(lose_request),),
    "being processed by another request, for longer than this one can wait": (pay_beside_another,),
    "cancelled or expired": (pay_what_is(PaymentStatus.CANCELLED), pay_what_is(PaymentStatus.EXPIRED)),
    "certainly not charged: the bank could not be reached": (bank_does(refuse_connection),),
    "certainly not charged: given up": (bank_does(give_up),),
    "fraud-service silent from 1000.00 MAD on": (fraud_says(None), fraud_says(FraudDecision.REVIEW)),
    "the bank wants to see the cardholder": (bank_does(challenge), fraud_says(FraudDecision.CHALLENGE)),
    "too many calls of the bank at once": (bank_does(be_full),),
    "the database is away": (pay_without_database,),
    "not there": (pay_what_is_not_there,),
}


def test_every_row_is_played() -> None:
    played = {situation for situation in rows() for start in PLAYS if situation.startswith(start)}

    assert (played, len(rows())) == (set(rows()), len(PLAYS)), (
        "give each row of the table a play, and no other"
    )


@pytest.mark.parametrize("new_payer", [LabPayer, MerchantsServer])
@pytest.mark.parametrize("start", PLAYS)
def test_a_row_says_what_is_answered(world: World, start: str, new_payer: type[Payer]) -> None:
    (answers,) = [answers for situation, answers in rows().items() if situation.startswith(start)]
    row = answers[new_payer.answers_in]
    for play in PLAYS[start]:
        payer = new_payer(world)

        answer = play(payer)

        assert wrong_with(row, answer) == [], f"mend the row of {README}, or the service: {answer.text}"
        if "payable again" in row or "another card may follow" in row:
            assert payer.pay().status_code == 200


def wrong_with(row: str, answer: Answer) -> list[str]:
    """Return the words of a row that the answer does not bear out."""
    body: Mapping[str, Any] = answer.json
    status, *_ = row.split()
    wrong = [] if int(status.rstrip(",:")) == answer.status_code else [status]
    for word in re.findall(r"`([^`]+)`", row):
        name, _, value = word.partition(": ")
        is_true = body.get(name) == (value == "true") if value else word in body or word in body.values()
        wrong += [] if is_true else [word]
    return wrong + (["Retry-After"] if "Retry-After" in row and "Retry-After" not in answer.headers else [])
