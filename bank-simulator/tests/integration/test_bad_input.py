import json
from typing import Any

import pytest
from bank_simulator.values.issued_cards import LAB_CARD

from tests.testkit.bank import BankClient

MISSING = object()


def changed(bank: BankClient, path: str, value: Any) -> Any:
    """Return a sale's body with one member changed or left out; ``path`` may lead into the card."""
    body = bank.payment(LAB_CARD, 100)
    *outer, last = path.split(".")
    target = body[outer[0]] if outer else body
    if value is MISSING:
        del target[last]
    else:
        target[last] = value
    return body


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("request_id", MISSING),
        ("request_id", ""),
        ("request_id", "x" * 65),
        ("request_id", "a/b"),
        ("request_id", "id\n"),
        ("request_id", 7),
        ("amount_minor", 0),
        ("amount_minor", -5),
        ("amount_minor", 10**15 + 1),
        ("amount_minor", 1.5),
        ("amount_minor", "100"),
        ("amount_minor", True),
        ("currency", "mad"),
        ("currency", "MADX"),
        ("card", MISSING),
        ("card", "4242424242424242"),
        ("card.number", "4242 4242 4242 4242"),
        ("card.number", 4242424242424242),
        ("card.number", "٤" * 16),
        ("card.exp_month", 13),
        ("card.exp_year", 30),
        ("card.cvv", "12"),
        ("card.cvv", 123),
        ("merchant_id", MISSING),
        ("order_id", "1 2"),
        ("surprise", 1),
    ],
)
def test_a_malformed_sale_is_refused_and_stores_nothing(bank: BankClient, path: str, value: Any) -> None:
    answer = bank.request("POST", "/network/sales", json=changed(bank, path, value))

    assert (answer.status_code, answer.headers["Content-Type"]) == (400, "application/problem+json")
    assert answer.json()["code"] == "invalid_input"
    assert LAB_CARD not in answer.text
    assert bank.totals() is None


@pytest.mark.parametrize("value", [2, "true", None, MISSING])
def test_final_must_be_said_plainly(bank: BankClient, value: Any) -> None:
    held = bank.authorize(LAB_CARD, 100)
    body = {"request_id": "c_1", "original_request_id": held["request_id"], "amount_minor": 1, "final": value}
    if value is MISSING:
        del body["final"]

    assert bank.request("POST", "/network/captures", json=body).status_code == 400


@pytest.mark.parametrize("text", ["", "{", '{"a": NaN}', '{"a": 1, "a": 2}', "[" * 100, "null"])
def test_what_is_not_a_strict_json_object_is_refused(bank: BankClient, text: str) -> None:
    answer = bank.request(
        "POST", "/network/sales", data=text.encode(), headers={"Content-Type": "application/json"}
    )

    assert answer.status_code == 400


def test_without_the_token_nothing_is_shown_and_nothing_done(bank: BankClient) -> None:
    asked = bank.payment(LAB_CARD, 100)
    stranger = BankClient(bank.address, token="guessed")

    answers = [
        stranger.request("POST", "/network/sales", json=asked),
        stranger.request("GET", f"/network/requests/{asked['request_id']}"),
        stranger.request("GET", "/admin/totals"),
        stranger.request("POST", "/admin/faults", json={"seed": 1}),
    ]

    assert [answer.status_code for answer in answers] == [401] * 4
    assert bank.status(asked["request_id"]).status_code == 404


@pytest.mark.parametrize("bad_id", ["x" * 65, "a%20b", "%C3%A9"])
def test_an_id_that_cannot_be_one_is_not_found(bank: BankClient, bad_id: str) -> None:
    assert bank.status(bad_id).status_code == 404
    assert bank.request("POST", f"/network/requests/{bad_id}/abandon").status_code == 404


def test_logs_hold_no_card_number(bank: BankClient, capsys: pytest.CaptureFixture[str]) -> None:
    bank.sell("4000100000000018", 100)
    bank.request("POST", "/network/sales", json=changed(bank, "card.number", "4000100000000018x"))

    logged = capsys.readouterr().out
    assert json.loads(logged.splitlines()[-1])["route"] == "/network/sales"
    assert "4000100000000018" not in logged
