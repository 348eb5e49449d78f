from datetime import timedelta

import pytest
from bank_simulator.extensions import db
from bank_simulator.models import NetworkRequest
from bank_simulator.values.issued_cards import LAB_CARD
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.testkit.bank import Answer, BankClient

LIMITED = "4000100000000026"


def outcome(answer: Answer) -> str:
    return str(answer["decline_code"] or answer["status"])


def test_captures_in_parts_end_with_the_final_one(bank: BankClient) -> None:
    held = bank.authorize(LAB_CARD, 1000)

    first = bank.follow_up("captures", held, amount_minor=300, final=False)
    last = bank.follow_up("captures", held, amount_minor=200, final=True)
    too_late = bank.follow_up("captures", held, amount_minor=1, final=False)

    assert [outcome(first), outcome(last), outcome(too_late)] == ["approved", "approved", "wrong_state"]
    assert (first["kind"], first["amount_minor"], first["currency"]) == ("capture", 300, "MAD")
    assert bank.net_minor() == 500


def test_a_hold_takes_the_money_and_what_is_not_captured_comes_back(own_bank: BankClient) -> None:
    held = own_bank.authorize(LIMITED, 500_00)
    while_held = own_bank.sell(LIMITED, 1)
    own_bank.follow_up("captures", held, amount_minor=100_00, final=True)
    afterwards = own_bank.sell(LIMITED, 400_00)

    assert [outcome(while_held), outcome(afterwards)] == ["insufficient_funds", "approved"]


def test_a_voided_hold_and_a_voided_sale_give_everything_back(own_bank: BankClient) -> None:
    void_of_hold = own_bank.follow_up("voids", own_bank.authorize(LIMITED, 500_00))
    void_of_sale = own_bank.follow_up("voids", own_bank.sell(LIMITED, 500_00))

    assert [outcome(void_of_hold), outcome(void_of_sale)] == ["approved", "approved"]
    assert void_of_sale["amount_minor"] == 500_00
    assert outcome(own_bank.sell(LIMITED, 500_00)) == "approved"
    assert own_bank.net_minor() == 500_00


def test_refunds_come_back_to_the_cardholder_up_to_what_was_captured(own_bank: BankClient) -> None:
    sold = own_bank.sell(LIMITED, 500_00)

    refunds = [
        own_bank.follow_up("refunds", sold, amount_minor=amount) for amount in (400_00, 100_01, 100_00, 1)
    ]

    assert [outcome(refund) for refund in refunds] == [
        "approved",
        "amount_too_large",
        "approved",
        "amount_too_large",
    ]
    assert outcome(own_bank.sell(LIMITED, 500_00)) == "approved"


def test_a_refund_above_the_captured_amount_is_declined_although_more_was_authorised(
    bank: BankClient,
) -> None:
    held = bank.authorize(LAB_CARD, 1000)
    bank.follow_up("captures", held, amount_minor=400, final=False)

    assert outcome(bank.follow_up("refunds", held, amount_minor=401)) == "amount_too_large"
    assert outcome(bank.follow_up("refunds", held, amount_minor=400)) == "approved"


def test_a_sale_of_the_day_before_is_refunded_not_voided(own_app: Flask, own_bank: BankClient) -> None:
    sold = own_bank.sell(LAB_CARD, 1000)

    def make_older(session: Session) -> None:
        query = select(NetworkRequest).where(NetworkRequest.request_id == sold["request_id"])
        session.scalars(query).one().processed_at -= timedelta(hours=25)

    with own_app.app_context():
        db.in_transaction(make_older)

    assert outcome(own_bank.follow_up("voids", sold)) == "wrong_state"
    assert outcome(own_bank.follow_up("refunds", sold, amount_minor=1000)) == "approved"


@pytest.mark.parametrize(
    ("kind", "members"),
    [("captures", {"amount_minor": 1, "final": True}), ("voids", {}), ("refunds", {"amount_minor": 1})],
)
def test_nothing_follows_what_does_not_exist_was_declined_or_abandoned(
    bank: BankClient, kind: str, members: Answer
) -> None:
    declined = bank.sell("4000100000000042", 100)
    bank.abandon(f"gone_{bank.merchant_id[:40]}")

    assert outcome(bank.follow_up(kind, "never_seen", **members)) == "not_found"
    assert outcome(bank.follow_up(kind, declined, **members)) == "wrong_state"
    assert outcome(bank.follow_up(kind, f"gone_{bank.merchant_id[:40]}", **members)) == "wrong_state"


def test_totals_separate_sales_refunds_and_voids(bank: BankClient) -> None:
    bank.follow_up("refunds", bank.sell(LAB_CARD, 1000), amount_minor=250)
    bank.follow_up("voids", bank.sell(LAB_CARD, 70))
    bank.follow_up("captures", bank.authorize(LAB_CARD, 30), amount_minor=30, final=True)
    bank.sell("4000100000000042", 5)

    assert bank.totals() == {
        "merchant_id": bank.merchant_id,
        "currency": "MAD",
        "sales_minor": 1070,
        "captures_minor": 30,
        "refunds_minor": 250,
        "voids_minor": 70,
        "disputes_minor": 0,
        "chargebacks_minor": 0,
        "net_minor": 780,
        "count": 3,
    }


def test_requests_are_listed_in_pages_oldest_first(bank: BankClient) -> None:
    made = [bank.sell(LAB_CARD, amount)["request_id"] for amount in (1, 2, 3)]
    voided = bank.follow_up("voids", made[0])["request_id"]
    address = f"/admin/requests?merchant_id={bank.merchant_id}&limit=3"

    first = bank.request("GET", address).json()
    second = bank.request("GET", f"{address}&after={first['next_after']}").json()

    assert [row["request_id"] for row in first["requests"]] == made
    assert [row["amount_minor"] for row in first["requests"]] == [1, 2, 3]
    assert [(row["request_id"], row["original_request_id"]) for row in second["requests"]] == [
        (voided, made[0])
    ]
    assert second["next_after"] is None
