"""Cardholders contest payments: the money is withheld, and goes back or on."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from bank_simulator.extensions import db
from bank_simulator.models import WebhookEvent
from bank_simulator.queries.verify_books import verify_books
from bank_simulator.values.issued_cards import LAB_CARD
from flask import Flask
from sqlalchemy import select, text

from tests.testkit.bank import Answer, BankClient

LIMITED = "4000100000000026"


def test_an_open_dispute_withholds_the_money(bank: BankClient) -> None:
    sold = bank.sell(LAB_CARD, 1000)

    dispute = bank.dispute(sold, amount_minor=400, reason="product_not_received")

    assert (dispute["original_request_id"], dispute["amount_minor"]) == (sold["request_id"], 400)
    assert (dispute["status"], dispute["reason"]) == ("open", "product_not_received")
    assert (dispute["currency"], dispute["closed_at"]) == ("MAD", None)
    totals = bank.totals()
    assert totals is not None
    assert (totals["sales_minor"], totals["disputes_minor"], totals["net_minor"]) == (1000, 400, 600)


@pytest.mark.parametrize(("end", "net", "chargebacks"), [("won", 1000, 0), ("lost", 600, 400)])
def test_a_dispute_ends_once(bank: BankClient, end: str, net: int, chargebacks: int) -> None:
    dispute = bank.dispute(bank.sell(LAB_CARD, 1000), amount_minor=400)
    path = f"/admin/disputes/{dispute['dispute_id']}"

    closed = bank.post(f"{path}/{end}")

    assert closed["status"] == end
    assert closed["closed_at"].endswith("Z")
    assert bank.post(f"{path}/{end}") == closed
    other = bank.request("POST", f"{path}/{'lost' if end == 'won' else 'won'}")
    assert (other.status_code, other.json()["code"]) == (409, "dispute_closed")
    totals = bank.totals()
    assert totals is not None
    assert (totals["net_minor"], totals["chargebacks_minor"], totals["disputes_minor"]) == (
        net,
        chargebacks,
        0,
    )


def test_a_lost_dispute_gives_the_cardholder_the_money(own_app: Flask, own_bank: BankClient) -> None:
    dispute = own_bank.dispute(own_bank.sell(LIMITED, 500_00))
    assert own_bank.sell(LIMITED, 1)["decline_code"] == "insufficient_funds"

    own_bank.post(f"/admin/disputes/{dispute['dispute_id']}/lost")

    assert own_bank.sell(LIMITED, 500_00)["status"] == "approved"
    with own_app.app_context():
        assert verify_books().differences == []


def test_a_repeated_request_opens_one_dispute(bank: BankClient) -> None:
    sold = bank.sell(LAB_CARD, 1000)
    first = bank.dispute(sold, request_id=f"contest_{sold['request_id']}", amount_minor=400)

    again = bank.dispute(sold, request_id=first["request_id"], amount_minor=400)
    bank.post(f"/admin/disputes/{first['dispute_id']}/lost")
    later = bank.dispute(sold, request_id=first["request_id"], amount_minor=400)

    assert again == first
    assert (later["dispute_id"], later["status"]) == (first["dispute_id"], "lost")
    totals = bank.totals()
    assert totals is not None
    assert (totals["disputes_minor"], totals["chargebacks_minor"]) == (0, 400)


def test_the_id_of_another_request_is_refused(bank: BankClient) -> None:
    sold, other = bank.sell(LAB_CARD, 1000), bank.sell(LAB_CARD, 1000)
    first = bank.dispute(sold, request_id=f"contest_{sold['request_id']}", amount_minor=400)
    body = {"request_id": first["request_id"], "original_request_id": sold["request_id"]}

    for changes in ({"amount_minor": 401}, {"original_request_id": other["request_id"]}, {}):
        refused = bank.request("POST", "/admin/disputes", json={**body, **changes})
        assert (refused.status_code, refused.json()["code"]) == (409, "request_id_reused")


def test_of_eight_that_arrive_together_one_opens_it(bank: BankClient) -> None:
    sold = bank.sell(LAB_CARD, 1000)
    name = f"contest_{sold['request_id']}"

    with ThreadPoolExecutor(8) as pool:
        opened = list(pool.map(lambda _: bank.dispute(sold, request_id=name), range(8)))

    assert {dispute["dispute_id"] for dispute in opened} == {opened[0]["dispute_id"]}


def test_what_is_disputed_cannot_be_refunded(bank: BankClient) -> None:
    sold = bank.sell(LAB_CARD, 1000)
    bank.follow_up("refunds", sold, amount_minor=300)
    dispute = bank.dispute(sold)
    assert dispute["amount_minor"] == 700

    assert bank.follow_up("refunds", sold, amount_minor=1)["decline_code"] == "amount_too_large"
    assert bank.try_dispute(sold) == 409  # the merchant has nothing of it any more

    bank.post(f"/admin/disputes/{dispute['dispute_id']}/won")
    assert bank.follow_up("refunds", sold, amount_minor=700)["status"] == "approved"


@pytest.mark.parametrize(("end", "net"), [("won", 0), ("lost", -1000)])
def test_what_was_refunded_can_be_disputed(own_app: Flask, own_bank: BankClient, end: str, net: int) -> None:
    sold = own_bank.sell(LAB_CARD, 1000)
    own_bank.follow_up("refunds", sold, amount_minor=1000)

    dispute = own_bank.dispute(sold, amount_minor=1000)

    assert own_bank.try_dispute(sold, amount_minor=1) == 409
    own_bank.post(f"/admin/disputes/{dispute['dispute_id']}/{end}")
    totals = own_bank.totals()
    assert totals is not None
    assert totals["net_minor"] == net
    with own_app.app_context():
        assert verify_books().differences == []


def test_a_disputed_sale_cannot_be_voided(bank: BankClient) -> None:
    sold = bank.sell(LAB_CARD, 1000)
    bank.dispute(sold, amount_minor=1)

    assert bank.follow_up("voids", sold)["decline_code"] == "wrong_state"


def test_only_captured_money_can_be_disputed(bank: BankClient) -> None:
    held = bank.authorize(LAB_CARD, 1000)
    voided = bank.sell(LAB_CARD, 1000)
    bank.follow_up("voids", voided)

    assert bank.try_dispute(held) == bank.try_dispute(voided) == 409
    assert bank.try_dispute(bank.sell("4000100000000042", 1000)) == 409
    assert bank.try_dispute("nobody") == 404
    bank.follow_up("captures", held, amount_minor=600, final=True)
    assert bank.dispute(held)["amount_minor"] == 600


@pytest.mark.parametrize(
    "members",
    [{"amount_minor": 0}, {"amount_minor": "1"}, {"reason": "because"}, {"original_request_id": 1}, {"x": 1}],
)
def test_what_is_no_dispute_is_refused(bank: BankClient, members: Answer) -> None:
    sold = bank.sell(LAB_CARD, 1000)

    body = {"original_request_id": sold["request_id"], **members}
    assert bank.request("POST", "/admin/disputes", json=body).status_code == 400


@pytest.mark.parametrize("path", ["dsp_nothing/won", "dsp_nothing/lost"])
def test_an_unknown_dispute_is_not_found(bank: BankClient, path: str) -> None:
    assert bank.request("POST", f"/admin/disputes/{path}").status_code == 404


def test_every_step_is_told(own_app: Flask, own_bank: BankClient) -> None:
    sold = own_bank.sell(LAB_CARD, 1000)
    won, lost = own_bank.dispute(sold, amount_minor=1), own_bank.dispute(sold, amount_minor=2)
    for dispute, end in [(won, "won"), (won, "won"), (lost, "lost")]:
        own_bank.post(f"/admin/disputes/{dispute['dispute_id']}/{end}")

    with own_app.app_context(), db.reading() as session:
        bodies = session.scalars(select(WebhookEvent.body).order_by(WebhookEvent.id)).all()
    events = [json.loads(body) for body in bodies]
    told = [(event["type"], event["data"]["dispute_id"], event["data"]["status"]) for event in events]
    assert told == [
        ("dispute.opened", won["dispute_id"], "open"),
        ("dispute.opened", lost["dispute_id"], "open"),
        ("dispute.won", won["dispute_id"], "won"),
        ("dispute.lost", lost["dispute_id"], "lost"),
    ]
    assert events[0]["data"] == {
        "dispute_id": won["dispute_id"],
        "original_request_id": sold["request_id"],
        "amount_minor": 1,
        "currency": "MAD",
        "reason": "fraudulent",
        "status": "open",
    }


def test_refunds_and_disputes_at_once_each_find_what_there_is(bank: BankClient) -> None:
    sold = bank.sell(LAB_CARD, 1000)

    with ThreadPoolExecutor(8) as pool:
        disputes = [pool.submit(bank.try_dispute, sold, amount_minor=300) for _ in range(4)]
        refunds = [pool.submit(bank.follow_up, "refunds", sold, amount_minor=300) for _ in range(4)]
        disputed = [dispute.result() for dispute in disputes].count(201)
        refunded = [refund.result()["status"] for refund in refunds].count("approved")

    assert disputed == 3
    assert refunded <= 3
    assert bank.net_minor() == 1000 - 300 * (disputed + refunded)


def test_a_dispute_won_and_lost_at_once_ends_one_way(bank: BankClient) -> None:
    for _ in range(5):
        dispute = bank.dispute(bank.sell(LAB_CARD, 10))
        paths = [f"/admin/disputes/{dispute['dispute_id']}/{end}" for end in ("won", "lost") * 2]

        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(lambda path: bank.request("POST", path).status_code, paths))

        assert sorted(answers) == [200, 200, 409, 409]


def test_captures_and_sales_are_told_apart(bank: BankClient) -> None:
    bank.sell(LAB_CARD, 1000)
    held = bank.authorize(LAB_CARD, 500)
    bank.follow_up("captures", held, amount_minor=200, final=False)
    bank.follow_up("captures", held, amount_minor=100, final=True)

    totals = bank.totals()

    assert totals is not None
    assert (totals["sales_minor"], totals["captures_minor"], totals["count"]) == (1000, 300, 3)
    assert totals["net_minor"] == 1300


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ("UPDATE disputes SET amount_minor = 401", "entries are"),
        ("UPDATE disputes SET status = 'won'", "entries are"),
        ("UPDATE network_requests SET disputed_minor = 0", "is disputed, its disputes say 400"),
        ("DELETE FROM disputes", "it is missing"),
        ("UPDATE entries SET dispute_row_id = NULL WHERE amount_minor > 0", "add up to"),
    ],
)
def test_verify_names_a_tampered_dispute(
    own_app: Flask, own_bank: BankClient, change: str, named: str
) -> None:
    own_bank.dispute(own_bank.sell(LAB_CARD, 1000), amount_minor=400)

    with own_app.app_context():
        assert verify_books().differences == []
        db.in_transaction(lambda session: session.execute(text(change)))
        assert any(named in difference for difference in verify_books().differences)
