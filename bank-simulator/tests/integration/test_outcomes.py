import threading
import time
from types import SimpleNamespace

import pytest
import requests
from bank_simulator.controllers import delivery
from bank_simulator.controllers.request import EXTENSION
from bank_simulator.values.issued_cards import LAB_CARD, TEST_CARDS, TestCard
from bank_simulator.values.vocabulary import CardBehaviour
from flask import Flask

from tests.testkit.bank import Answer, BankClient

APPROVED = [
    card
    for card in TEST_CARDS
    if card.outcome.startswith("approved")
    and card.behaviour is CardBehaviour.NORMAL
    and card.opening_minor is None
]
DECLINED = [card for card in TEST_CARDS if card.outcome.startswith("declined: ")]
SLOW = "4000200000000032"
LOSING = "4000200000000040"


def documented_code(card: TestCard) -> str:
    return card.outcome.removeprefix("declined: ").split()[0]


@pytest.mark.parametrize("kind", ["sell", "authorize"])
@pytest.mark.parametrize("card", APPROVED, ids=lambda card: card.number)
def test_an_approved_card_pays_any_amount(bank: BankClient, card: TestCard, kind: str) -> None:
    answer = getattr(bank, kind)(card.number, 10**15)

    assert (answer["status"], answer["decline_code"]) == ("approved", None)
    assert len(answer["authorization_code"]) == 6
    assert bank.net_minor() == (10**15 if kind == "sell" else 0)


@pytest.mark.parametrize("kind", ["sell", "authorize"])
@pytest.mark.parametrize("card", DECLINED, ids=lambda card: card.number)
def test_a_declined_card_gives_its_documented_code(bank: BankClient, card: TestCard, kind: str) -> None:
    answer = getattr(bank, kind)(card.number, 1)

    assert (answer["status"], answer["decline_code"]) == ("declined", documented_code(card))
    assert answer["authorization_code"] is None
    assert bank.totals() is None


def test_the_answer_repeats_what_was_asked(bank: BankClient) -> None:
    asked = bank.payment(LAB_CARD, 399998, currency="EUR")

    answer = bank.post("/network/sales", asked)

    assert set(answer) == {
        "request_id",
        "kind",
        "status",
        "decline_code",
        "authorization_code",
        "amount_minor",
        "currency",
        "processed_at",
        "redirect_url",
        "three_ds",
    }
    assert answer["request_id"] == asked["request_id"]
    assert (answer["kind"], answer["amount_minor"], answer["currency"]) == ("sale", 399998, "EUR")
    assert answer["processed_at"].endswith("Z")


@pytest.mark.parametrize(
    ("card", "code"),
    [
        ({"cvv": "124"}, "incorrect_cvc"),
        ({"exp_year": 2026, "exp_month": 10}, "expired_card"),
        ({"number": "4000100000000019"}, "invalid_number"),
        ({"number": "4000100099999991"}, "invalid_number"),
        ({"number": "6011000990139424"}, "invalid_number"),
        ({"number": "999999999999"}, "invalid_number"),
    ],
    ids=["cvv", "expiry", "check digit", "not issued", "unknown BIN", "12 digits"],
)
def test_a_card_that_is_not_typed_right_is_declined(bank: BankClient, card: Answer, code: str) -> None:
    answer = bank.sell("4000100000000018", 100, card=card)

    assert (answer["status"], answer["decline_code"]) == ("declined", code)


@pytest.mark.parametrize("card", [{"cvv": None}, {"exp_year": 2099, "exp_month": 12}])
def test_no_cvv_and_another_future_expiry_are_accepted(bank: BankClient, card: Answer) -> None:
    assert bank.sell("4000100000000018", 100, card=card)["status"] == "approved"


def test_a_limited_card_pays_until_its_money_is_spent_in_each_currency(own_bank: BankClient) -> None:
    card = "4000100000000026"

    answers = [
        own_bank.sell(card, 300_00),
        own_bank.sell(card, 200_01),
        own_bank.authorize(card, 200_00),
        own_bank.sell(card, 1),
        own_bank.sell(card, 500_00, currency="EUR"),
        own_bank.sell(card, 1, currency="EUR"),
    ]

    outcomes = [answer["decline_code"] or answer["status"] for answer in answers]
    empty = "insufficient_funds"
    assert outcomes == ["approved", empty, "approved", empty, "approved", empty]


def test_the_slow_cards_money_has_moved_before_the_answer_comes(
    shared_app: Flask, bank: BankClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = bank.payment(SLOW, 700)
    slow_answer_s = shared_app.extensions[EXTENSION].config.slow_answer_s
    answers: list[Answer] = []
    has_slept = threading.Event()

    def sleep(seconds: float) -> None:
        if seconds == slow_answer_s:
            has_slept.wait(60)

    monkeypatch.setattr(delivery, "time", SimpleNamespace(sleep=sleep))
    paying = threading.Thread(target=lambda: answers.append(bank.post("/network/sales", asked)))

    paying.start()
    status = bank.status(asked["request_id"])
    while status.status_code == requests.codes.not_found:
        time.sleep(0.01)
        status = bank.status(asked["request_id"])
    was_still_waiting = not answers
    has_slept.set()
    paying.join()

    assert was_still_waiting
    assert answers == [status.json()]
    assert bank.net_minor() == 700


def test_a_lost_answer_is_a_dropped_connection_after_the_money_moved(bank: BankClient) -> None:
    asked = bank.payment(LOSING, 800)

    with pytest.raises(requests.ConnectionError, match="Remote end closed connection without response"):
        bank.post("/network/sales", asked)

    assert bank.status(asked["request_id"]).json()["status"] == "approved"
    assert bank.post("/network/sales", asked)["status"] == "approved"
    assert bank.net_minor() == 800
