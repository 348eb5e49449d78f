"""Sales and refunds about which a bank takes its time."""

import pytest
from bank_simulator.controllers.request import EXTENSION
from flask import Flask

from tests.testkit.bank import Answer, BankClient
from tests.testkit.fake_clock import FakeClock

APPROVED_LATER = "4000200000000065"
DECLINED_LATER = "4000200000000073"
REFUNDS_SUCCEED = "4000100000000083"
REFUNDS_FAIL = "4000100000000091"


@pytest.mark.parametrize("path", ["sales", "authorizations"])
@pytest.mark.parametrize(("status", "decline_code"), [("approved", None), ("declined", "do_not_honor")])
def test_a_pending_payment_moves_money_only_once_it_is_approved(
    bank: BankClient, path: str, status: str, decline_code: str | None
) -> None:
    asked = bank.payment(APPROVED_LATER, 100)
    pending = bank.post(f"/network/{path}", asked)
    assert (pending["status"], bank.totals()) == ("pending", None)
    assert bank.follow_up("refunds", pending, amount_minor=1)["decline_code"] == "wrong_state"
    assert bank.follow_up("voids", pending)["decline_code"] == "wrong_state"

    decided = bank.decide(pending, status)

    assert (decided["status"], decided["decline_code"]) == (status, decline_code)
    assert bank.post(f"/network/{path}", asked) == bank.decide(pending, status) == decided
    assert bank.net_minor() == (100 if (path, status) == ("sales", "approved") else 0)


@pytest.mark.parametrize(("status", "decline_code"), [("approved", None), ("declined", "account_closed")])
def test_a_pending_refund_counts_until_it_failed(
    bank: BankClient, status: str, decline_code: str | None
) -> None:
    sold = bank.sell(REFUNDS_SUCCEED, 1000)
    pending = bank.follow_up("refunds", sold, amount_minor=700)
    assert (pending["status"], bank.net_minor()) == ("pending", 1000)
    assert bank.follow_up("refunds", sold, amount_minor=301)["decline_code"] == "amount_too_large"
    assert bank.follow_up("voids", sold)["decline_code"] == "wrong_state"

    decided = bank.decide(pending, status)

    assert (decided["status"], decided["decline_code"]) == (status, decline_code)
    assert bank.net_minor() == (300 if status == "approved" else 1000)
    again = bank.follow_up("refunds", sold, amount_minor=301)
    assert again["status"] == ("declined" if status == "approved" else "pending")


def test_what_ended_otherwise_cannot_be_decided(bank: BankClient) -> None:
    pending = bank.sell(APPROVED_LATER, 100)
    bank.decide(pending, "declined")
    waiting = bank.challenged()
    path = "/admin/requests/{}/decide"

    for request_id, body, status in [
        (pending["request_id"], {"status": "approved"}, 409),
        (waiting["request_id"], {"status": "approved"}, 409),
        ("nobody", {"status": "approved"}, 404),
        (pending["request_id"], {"status": "pending"}, 400),
        (pending["request_id"], {}, 400),
    ]:
        answer = bank.request("POST", path.format(request_id), json=body)
        assert answer.status_code == status, answer.text


@pytest.mark.parametrize("kind", ["sale", "refund"])
def test_a_pending_request_can_be_abandoned(bank: BankClient, kind: str) -> None:
    sold = bank.sell(REFUNDS_SUCCEED if kind == "refund" else APPROVED_LATER, 100)
    pending = bank.follow_up("refunds", sold, amount_minor=100) if kind == "refund" else sold

    abandoned = bank.abandon(pending["request_id"])

    assert abandoned["status"] == "abandoned"
    answer = bank.request(
        "POST", f"/admin/requests/{pending['request_id']}/decide", json={"status": "approved"}
    )
    assert answer.status_code == 409
    assert bank.net_minor() == (100 if kind == "refund" else 0)
    if kind == "refund":
        assert bank.follow_up("refunds", sold, amount_minor=100)["status"] == "pending"


def test_banks_decide_by_themselves(own_app: Flask, own_bank: BankClient, clock: FakeClock) -> None:
    approved, declined = (own_bank.sell(number, 100) for number in (APPROVED_LATER, DECLINED_LATER))
    sales = [own_bank.sell(number, 1000) for number in (REFUNDS_SUCCEED, REFUNDS_FAIL)]
    refunds = [own_bank.follow_up("refunds", sold, amount_minor=10) for sold in sales]
    pending: list[Answer] = [approved, declined, *refunds]
    assert {answer["status"] for answer in pending} == {"pending"}

    clock.advance(own_app.extensions[EXTENSION].config.decision_s)

    answers = [own_bank.status(answer["request_id"]).json() for answer in pending]
    assert [answer["status"] for answer in answers] == ["approved", "declined"] * 2
    assert answers[3]["decline_code"] == "account_closed"
    assert own_bank.net_minor() == 100 + 2000 - 10
