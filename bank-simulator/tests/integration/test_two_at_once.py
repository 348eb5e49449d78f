"""Equal and competing requests that arrive together: by threads of one process, and by two processes."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier

import pytest
import requests
from bank_simulator.values.issued_cards import LAB_CARD
from flask import Flask

from tests.testkit.bank import Answer, BankClient, served_by_gunicorn

LIMITED = "4000100000000026"


def together(calls: list[Callable[[], Answer]]) -> list[Answer]:
    barrier = Barrier(len(calls))

    def run(call: Callable[[], Answer]) -> Answer:
        barrier.wait()
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


@pytest.mark.parametrize("path", ["sales", "authorizations"])
def test_equal_payments_move_the_money_once_and_all_get_the_same_answer(bank: BankClient, path: str) -> None:
    for _ in range(5):
        asked = bank.payment(LAB_CARD, 100)

        answers = together([partial(bank.post, f"/network/{path}", asked)] * 6)

        assert answers == [answers[0]] * 6
        assert answers[0]["status"] == "approved"
    assert bank.net_minor() == (500 if path == "sales" else 0)


@pytest.mark.parametrize(
    ("kind", "members"),
    [("captures", {"amount_minor": 100, "final": True}), ("voids", {}), ("refunds", {"amount_minor": 100})],
)
def test_equal_follow_ups_move_the_money_once(bank: BankClient, kind: str, members: Answer) -> None:
    original = bank.authorize(LAB_CARD, 100) if kind == "captures" else bank.sell(LAB_CARD, 100)
    asked = {"request_id": f"f_{original['request_id']}", "original_request_id": original["request_id"]}

    answers = together([lambda: bank.post(f"/network/{kind}", {**asked, **members})] * 6)

    assert answers == [answers[0]] * 6
    assert answers[0]["status"] == "approved"
    assert bank.net_minor() == (100 if kind == "captures" else 0)


def test_the_same_id_with_other_parameters_is_refused(bank: BankClient) -> None:
    asked = bank.payment(LAB_CARD, 100)
    bank.post("/network/sales", asked)

    others = [
        ("sales", {**asked, "amount_minor": 101}),
        ("sales", {**asked, "currency": "EUR"}),
        ("sales", {**asked, "card": {**asked["card"], "number": "4000100000000018"}}),
        ("authorizations", asked),
        ("voids", {"request_id": asked["request_id"], "original_request_id": asked["request_id"]}),
    ]

    answers = [bank.request("POST", f"/network/{path}", json=body) for path, body in others]
    assert [answer.status_code for answer in answers] == [409] * 5
    assert {answer.json()["code"] for answer in answers} == {"request_id_reused"}
    assert bank.net_minor() == 100


def test_a_declined_payment_stays_declined_when_repeated(own_bank: BankClient) -> None:
    held = own_bank.authorize(LIMITED, 500_00)
    asked = own_bank.payment(LIMITED, 100)
    declined = own_bank.post("/network/sales", asked)
    own_bank.follow_up("voids", held)

    assert declined["decline_code"] == "insufficient_funds"
    assert own_bank.post("/network/sales", asked) == declined


def test_purchases_at_once_never_overdraw_an_account(own_bank: BankClient) -> None:
    answers = together([lambda: own_bank.sell(LIMITED, 40_00)] * 16)

    approved = [answer for answer in answers if answer["status"] == "approved"]
    assert len(approved) == 500_00 // 40_00
    assert {answer["decline_code"] for answer in answers} == {None, "insufficient_funds"}
    assert own_bank.net_minor() == 480_00


def test_refunds_at_once_never_exceed_the_sale(bank: BankClient) -> None:
    sold = bank.sell(LAB_CARD, 1000)

    answers = together([lambda: bank.follow_up("refunds", sold, amount_minor=300)] * 8)

    assert [answer["status"] for answer in answers].count("approved") == 3
    assert bank.net_minor() == 100


def test_first_uses_of_one_account_at_once_open_it_once(own_bank: BankClient) -> None:
    answers = together([lambda: own_bank.sell("5100100000000014", 10)] * 8)

    assert {answer["status"] for answer in answers} == {"approved"}
    assert own_bank.net_minor() == 80


def test_abandoning_an_unknown_id_ends_it_for_ever(bank: BankClient) -> None:
    asked = bank.payment(LAB_CARD, 100)

    tombstone = bank.abandon(asked["request_id"])

    assert tombstone["status"] == "abandoned"
    assert bank.abandon(asked["request_id"]) == tombstone
    assert bank.post("/network/sales", asked) == tombstone
    assert bank.status(asked["request_id"]).json() == tombstone
    assert bank.totals() is None


@pytest.mark.parametrize("number", [LAB_CARD, "4000100000000042"])
def test_abandoning_what_was_executed_tells_what_became_of_it(bank: BankClient, number: str) -> None:
    executed = bank.sell(number, 100)

    assert bank.abandon(executed["request_id"]) == executed


def test_an_unknown_id_is_not_found(bank: BankClient) -> None:
    answer = bank.status("never_seen")

    assert (answer.status_code, answer.json()["code"]) == (404, "request_unknown")


def race_abandon(bank: BankClient, rounds: int) -> None:
    approved = 0
    for _ in range(rounds):
        asked = bank.payment(LAB_CARD, 100)
        request_id = asked["request_id"]

        answers = together(
            [
                partial(bank.post, "/network/sales", asked),
                partial(bank.abandon, request_id),
                partial(bank.post, "/network/sales", asked),
            ]
        )

        assert answers == [answers[0]] * 3
        assert answers[0]["status"] in {"approved", "abandoned"}
        approved += answers[0]["status"] == "approved"
    assert bank.net_minor() == 100 * approved


def test_a_sale_and_its_abandonment_at_once_agree_on_one_end(bank: BankClient) -> None:
    race_abandon(bank, rounds=20)


def test_the_right_code_and_abandoning_at_once_agree_on_one_end(bank: BankClient) -> None:
    approved = 0
    for _ in range(15):
        waiting = bank.challenged()
        request_id = waiting["request_id"]

        def confirm(waiting: Answer = waiting) -> Answer:
            return {"page": bank.answer_challenge(waiting, code="123456").status_code}

        _, abandoned, _ = together([confirm, partial(bank.abandon, request_id), confirm])

        assert bank.status(request_id).json() == abandoned
        assert abandoned["status"] in {"approved", "abandoned"}
        approved += abandoned["status"] == "approved"
    assert bank.net_minor() == 100 * approved


def test_equal_challenged_payments_at_once_wait_for_one_answer(bank: BankClient) -> None:
    asked = bank.payment(LAB_CARD, 100, three_ds={"mode": "required", "return_url": "https://shop.example/"})

    answers = together([lambda: bank.post("/network/sales", asked)] * 6)

    assert answers == [answers[0]] * 6
    assert answers[0]["status"] == "requires_action"


def test_codes_at_once_take_the_money_once_and_count_every_try(bank: BankClient) -> None:
    passed, failed = bank.challenged(), bank.challenged()

    def send(waiting: Answer, code: str) -> Answer:
        return {"page": bank.answer_challenge(waiting, code=code).status_code}

    together([lambda: send(passed, "123456")] * 4 + [lambda: send(failed, "000000")] * 3)

    assert bank.status(passed["request_id"]).json()["status"] == "approved"
    assert bank.status(failed["request_id"]).json()["decline_code"] == "authentication_failed"
    assert bank.net_minor() == 100


def test_deciding_and_abandoning_a_refund_at_once_agree_on_one_end(bank: BankClient) -> None:
    sold = bank.sell("4000100000000083", 1000)
    refunded = 0
    for _ in range(8):
        pending = bank.follow_up("refunds", sold, amount_minor=10)["request_id"]

        def decide(which: str = pending) -> Answer:
            path = f"/admin/requests/{which}/decide"
            return {"status": bank.request("POST", path, json={"status": "approved"}).status_code}

        decided, abandoned, _ = together(
            [
                decide,
                partial(bank.abandon, pending),
                lambda: bank.follow_up("refunds", sold, amount_minor=1_000_000),
            ]
        )

        assert (decided["status"], abandoned["status"]) in {(200, "approved"), (409, "abandoned")}
        refunded += 10 * (abandoned["status"] == "approved")
    assert bank.net_minor() == 1000 - refunded


@pytest.fixture
def gunicorn_bank(own_app: Flask) -> Iterator[BankClient]:
    """Two gunicorn processes on one database and one socket."""
    with served_by_gunicorn(own_app, WEB_WORKERS="2") as bank:
        yield bank


def test_two_processes_agree_like_two_threads(gunicorn_bank: BankClient) -> None:
    race_abandon(gunicorn_bank, rounds=10)
    paid_before = gunicorn_bank.net_minor()
    asked = gunicorn_bank.payment(LAB_CARD, 1)

    answers = together([lambda: gunicorn_bank.post("/network/sales", asked)] * 8)

    assert answers == [answers[0]] * 8
    assert gunicorn_bank.net_minor() == paid_before + 1


def test_gunicorn_drops_the_connection_of_a_lost_answer(gunicorn_bank: BankClient) -> None:
    asked = gunicorn_bank.payment("4000200000000040", 100)

    with pytest.raises(requests.ConnectionError, match="Remote end closed connection without response"):
        gunicorn_bank.post("/network/sales", asked)

    assert gunicorn_bank.post("/network/sales", asked)["status"] == "approved"
    assert gunicorn_bank.net_minor() == 100
