"""The README's table of answers to whoever pays: each row is played, and answered as it says."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from payment_service.models.payment import Payment
from payment_service.providers.port import Outcome, ProviderCharge, ProviderResult
from payment_service.values.statuses import FraudDecision, PaymentStatus
from sqlalchemy import update

from tests.testkit.payments.client import Answer
from tests.testkit.payments.scripted.bank import SaleBehaviour, ScriptedBank
from tests.testkit.payments.scripted.sales import be_full, challenge, decline, lose_request, refuse_connection
from tests.testkit.payments.world import World

pytestmark = pytest.mark.engines("sqlite")

README = Path(__file__).parents[2] / "README.md"
TITLE = "## What is answered to whoever pays"


def rows() -> Mapping[str, str]:
    """Return the table: what the payment is, and the answer."""
    section = README.read_text().partition(f"{TITLE}\n")[2].partition("\n## ")[0]
    cells = [line.strip("| ").partition(" | ") for line in section.splitlines() if line.startswith("| ")]
    return {situation: answer for situation, _, answer in cells[1:]}


def give_up(bank: ScriptedBank, request: ProviderCharge) -> ProviderResult:
    return bank.remember(request.attempt_id, ProviderResult(Outcome.ABANDONED))


def bank_does(behaviour: SaleBehaviour) -> Callable[[World, int], Answer]:
    def play(world: World, payment_id: int) -> Answer:
        world.bank.script = [behaviour]
        return world.pay(payment_id)

    return play


def fraud_says(decision: FraudDecision | None) -> Callable[[World, int], Answer]:
    def play(world: World, payment_id: int) -> Answer:
        world.fraud.script = [decision]
        if decision is FraudDecision.CHALLENGE:
            world.bank.script = [challenge]
        return world.pay(payment_id)

    return play


def pay(world: World, payment_id: int) -> Answer:
    return world.pay(payment_id)


def pay_again(world: World, payment_id: int) -> Answer:
    world.pay(payment_id)
    return world.pay(payment_id)


def pay_beside_another(world: World, payment_id: int) -> Answer:
    others: list[Answer] = []
    world.fraud.meanwhile = lambda: others.append(world.in_other_thread(lambda: world.pay(payment_id)))
    world.pay(payment_id)
    return others[0]


def pay_what_is(status: PaymentStatus) -> Callable[[World, int], Answer]:
    def play(world: World, payment_id: int) -> Answer:
        close = update(Payment).where(Payment.id == payment_id).values(status=status)
        world.change(lambda session: session.execute(close))
        return world.pay(payment_id)

    return play


def pay_without_database(world: World, payment_id: int) -> Answer:
    with world.losing_database(after_units=0):
        return world.pay(payment_id)


def pay_what_is_not_there(world: World, _payment_id: int) -> Answer:
    return world.pay(0)


# By the first words of the row.
PLAYS: Mapping[str, tuple[Callable[[World, int], Answer], ...]] = {
    "payable, and the bank approves": (pay, pay_again),
    "declined": (bank_does(decline("lost_card")), fraud_says(FraudDecision.DECLINE)),
    "unknown even after asking": (bank_does(lose_request),),
    "being processed by another request": (pay_beside_another,),
    "cancelled or expired": (pay_what_is(PaymentStatus.CANCELLED), pay_what_is(PaymentStatus.EXPIRED)),
    "certainly not charged: the bank could not be reached": (bank_does(refuse_connection),),
    "certainly not charged: given up": (bank_does(give_up),),
    "fraud-service silent from 1000.00 on": (fraud_says(None), fraud_says(FraudDecision.REVIEW)),
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


@pytest.mark.parametrize("start", PLAYS)
def test_a_row_says_what_is_answered(world: World, start: str) -> None:
    (row,) = [answer for situation, answer in rows().items() if situation.startswith(start)]
    for play in PLAYS[start]:
        payment_id = world.create()

        answer = play(world, payment_id)

        assert wrong_with(row, answer) == [], f"mend the row of {README}, or the service: {answer.text}"
        if "payable again" in row or "another card may follow" in row:
            assert world.pay(payment_id).status_code == 200


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
