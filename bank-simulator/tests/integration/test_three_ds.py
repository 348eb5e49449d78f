"""3-D Secure 2: the six ways in which it can end, and the page on which a cardholder answers."""

import pytest
import requests
from bank_simulator.commands.end_overdue import end_all_overdue
from bank_simulator.controllers.request import EXTENSION
from bank_simulator.extensions import db
from flask import Flask
from sqlalchemy import text

from tests.testkit.bank import Answer, BankClient
from tests.testkit.fake_clock import FakeClock

FRICTIONLESS = "4000100000000067"
ALWAYS_CHALLENGED = "4000100000000075"
ATTEMPTED = "5100100000000063"
FAILING = "5100100000000071"
UNAVAILABLE = "4000200000000057"
ORDINARY = "4242424242424242"
LIMITED = "4000100000000026"
RETURN_URL = "https://shop.example/return?order=1&x=%22"


def three_ds(mode: str) -> Answer:
    return {"mode": mode, "return_url": RETURN_URL}


@pytest.mark.parametrize(
    ("number", "mode", "status", "decline_code", "result"),
    [
        (ORDINARY, "automatic", "approved", None, ("authenticated", "05", "issuer")),
        (FRICTIONLESS, "required", "approved", None, ("authenticated", "05", "issuer")),
        (FRICTIONLESS, "automatic", "approved", None, ("authenticated", "05", "issuer")),
        (ATTEMPTED, "required", "approved", None, ("attempted", "01", "issuer")),
        (FAILING, "automatic", "declined", "authentication_failed", ("failed", "00", "merchant")),
        (UNAVAILABLE, "automatic", "approved", None, ("unavailable", "07", "merchant")),
        (UNAVAILABLE, "required", "declined", "authentication_failed", ("unavailable", "07", "merchant")),
    ],
)
def test_without_a_challenge_the_result_comes_at_once(
    bank: BankClient, number: str, mode: str, status: str, decline_code: str | None, result: tuple[str, ...]
) -> None:
    answer = bank.sell(number, 100, three_ds=three_ds(mode))

    assert (answer["status"], answer["decline_code"]) == (status, decline_code)
    assert tuple(answer["three_ds"].values()) == result
    assert answer["redirect_url"] is None
    assert bank.net_minor() == (100 if status == "approved" else 0)


@pytest.mark.parametrize(
    ("number", "mode"),
    [(ORDINARY, "required"), (ALWAYS_CHALLENGED, "required"), (ALWAYS_CHALLENGED, "automatic")],
)
@pytest.mark.parametrize("path", ["sales", "authorizations"])
def test_a_challenge_waits_without_money_and_ends_with_the_right_code(
    bank: BankClient, path: str, number: str, mode: str
) -> None:
    waiting = bank.challenged(path, number=number, three_ds=three_ds(mode))

    assert waiting["redirect_url"].startswith("http://127.0.0.1:5012/acs/")
    assert (waiting["three_ds"], waiting["authorization_code"]) == (None, None)
    assert bank.status(waiting["request_id"]).json() == waiting
    assert bank.totals() is None
    if path == "authorizations":
        early = bank.follow_up("captures", waiting, amount_minor=100, final=True)
        assert early["decline_code"] == "wrong_state"

    assert bank.answer_challenge(waiting, code=" 123 456 ").status_code == 200

    done = bank.status(waiting["request_id"]).json()
    assert (done["status"], done["redirect_url"]) == ("approved", None)
    assert done["three_ds"] == {"status": "authenticated", "eci": "05", "liability": "issuer"}
    assert bank.net_minor() == (100 if path == "sales" else 0)
    if path == "authorizations":
        bank.follow_up("captures", waiting, amount_minor=100, final=True)
        assert bank.net_minor() == 100


def test_who_is_absent_cannot_pay_with_a_card_that_insists(bank: BankClient) -> None:
    answer = bank.sell(ALWAYS_CHALLENGED, 100, card={"cvv": None})

    assert (answer["status"], answer["decline_code"]) == ("declined", "authentication_required")
    assert answer["three_ds"] is None


def test_a_payer_who_is_absent_is_not_asked(bank: BankClient) -> None:
    answer = bank.sell(ORDINARY, 100, card={"cvv": None})

    assert (answer["status"], answer["three_ds"]) == ("approved", None)


def test_a_refused_card_is_not_challenged(bank: BankClient) -> None:
    answer = bank.sell(ORDINARY, 100, card={"cvv": "999"}, three_ds=three_ds("required"))

    assert (answer["status"], answer["decline_code"]) == ("declined", "incorrect_cvc")


def test_a_passed_challenge_does_not_replace_money(own_bank: BankClient) -> None:
    waiting = own_bank.challenged(number=LIMITED, amount_minor=400_00)
    own_bank.sell(LIMITED, 200_00)

    page = own_bank.answer_challenge(waiting, code="123456")

    answer = own_bank.status(waiting["request_id"]).json()
    assert (answer["status"], answer["decline_code"]) == ("declined", "insufficient_funds")
    assert answer["three_ds"]["status"] == "authenticated"
    assert page.status_code == 200


def test_the_third_wrong_code_fails(bank: BankClient) -> None:
    waiting = bank.challenged()

    pages = [bank.answer_challenge(waiting, code="000000") for _ in range(3)]
    late = bank.answer_challenge(waiting, code="123456")

    assert [page.status_code for page in [*pages, late]] == [422, 422, 200, 200]
    answer = bank.status(waiting["request_id"]).json()
    assert (answer["status"], answer["decline_code"]) == ("declined", "authentication_failed")
    assert answer["three_ds"] == {"status": "failed", "eci": "07", "liability": "merchant"}
    assert bank.totals() is None


def test_an_empty_code_is_no_try(bank: BankClient) -> None:
    waiting = bank.challenged()

    assert [bank.answer_challenge(waiting, code=" ").status_code for _ in range(4)] == [422] * 4
    assert bank.status(waiting["request_id"]).json() == waiting


def test_a_cardholder_can_refuse(bank: BankClient) -> None:
    waiting = bank.challenged()

    bank.answer_challenge(waiting, action="cancel", code="")

    assert bank.status(waiting["request_id"]).json()["decline_code"] == "authentication_failed"


def test_an_abandoned_challenge_cannot_be_passed_any_more(bank: BankClient) -> None:
    asked = bank.payment(ORDINARY, 100, three_ds=three_ds("required"))
    waiting = bank.post("/network/sales", asked)

    abandoned = bank.abandon(waiting["request_id"])
    page = bank.answer_challenge(waiting, code="123456")

    assert (abandoned["status"], abandoned["amount_minor"]) == ("abandoned", 100)
    assert "marchand a abandonné" in page.text
    assert bank.status(waiting["request_id"]).json() == abandoned
    assert bank.post("/network/sales", asked) == abandoned
    assert bank.abandon(waiting["request_id"]) == abandoned
    assert bank.totals() is None


def test_a_repetition_shows_how_the_challenge_stands_and_other_parameters_are_refused(
    bank: BankClient,
) -> None:
    asked = bank.payment(ORDINARY, 100, three_ds=three_ds("required"))
    waiting = bank.post("/network/sales", asked)

    assert bank.post("/network/sales", asked) == waiting
    other = {**asked, "three_ds": three_ds("automatic")}
    assert bank.request("POST", "/network/sales", json=other).status_code == 409

    bank.answer_challenge(waiting, code="123456")
    assert bank.post("/network/sales", asked)["status"] == "approved"


@pytest.mark.parametrize(
    "given",
    [
        {"mode": "always", "return_url": RETURN_URL},
        {"mode": "required"},
        {"mode": "required", "return_url": "javascript:alert(1)"},
        {"mode": "required", "return_url": "//shop.example/"},
        {"mode": "required", "return_url": "https://shop.example/a b"},
        {"mode": "required", "return_url": "https://[::1"},
        {"mode": "required", "return_url": "https://shop.example/" + "a" * 2000},
        "required",
    ],
)
def test_bad_wishes_are_refused(bank: BankClient, given: object) -> None:
    asked = bank.payment(ORDINARY, 100, three_ds=given)

    assert bank.request("POST", "/network/sales", json=asked).status_code == 400


@pytest.mark.parametrize("by", ["asking", "repeating", "opening the page", "a late code", "the sweep"])
def test_a_challenge_that_nobody_finishes_fails(
    own_app: Flask, own_bank: BankClient, clock: FakeClock, by: str
) -> None:
    asked = own_bank.payment(ORDINARY, 100, three_ds=three_ds("required"))
    waiting = own_bank.post("/network/sales", asked)
    clock.advance(own_app.extensions[EXTENSION].config.acs_session_s)

    match by:
        case "repeating":
            assert own_bank.post("/network/sales", asked)["status"] == "declined"
        case "opening the page":
            assert "non confirmée" in requests.get(own_bank.acs_url(waiting), timeout=60).text
        case "a late code":
            own_bank.answer_challenge(waiting, code="123456")
        case "the sweep":
            with own_app.app_context():
                assert end_all_overdue(own_app.extensions[EXTENSION].settings, 10) == 1
                assert end_all_overdue(own_app.extensions[EXTENSION].settings, 10) == 0
    assert status_in_database(own_app, waiting) == ("requires_action" if by == "asking" else "declined")
    answer = own_bank.status(waiting["request_id"]).json()
    assert (answer["status"], answer["decline_code"]) == ("declined", "authentication_failed")


def status_in_database(app: Flask, request: Answer) -> str:
    query = text("SELECT status FROM network_requests WHERE request_id = :request_id")
    with app.app_context(), db.reading() as session:
        return str(session.scalar(query, {"request_id": request["request_id"]}))


def test_the_page_works_without_script_and_lets_nobody_add_any(bank: BankClient) -> None:
    waiting = bank.challenged(amount_minor=1234567, three_ds=three_ds("required"))

    page = requests.get(bank.acs_url(waiting), headers={"Accept-Language": "en"}, timeout=60)

    assert page.headers["Content-Language"] == "en"
    assert page.headers["Cache-Control"] == "no-store"
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "form-action 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "<script" not in page.text
    assert '<form method="post">' in page.text
    assert "123456" in page.text
    assert "MAD\N{NO-BREAK SPACE}12,345.67" in page.text
    assert "4242424242424242" not in page.text
    assert RETURN_URL not in page.text


@pytest.mark.parametrize(
    ("given", "shown"), [({}, "mer_"), ({"merchant_name": "Café & Co"}, "Café &amp; Co")]
)
def test_the_cardholder_sees_the_merchant_by_its_name(bank: BankClient, given: Answer, shown: str) -> None:
    waiting = bank.challenged(three_ds={**three_ds("required"), **given})

    page = requests.get(bank.acs_url(waiting), timeout=60)

    assert f"<bdi>{shown}" in page.text


def test_the_last_page_leads_back_by_a_link(bank: BankClient) -> None:
    waiting = bank.challenged(three_ds=three_ds("required"))

    page = bank.answer_challenge(waiting, code="123456")

    assert (page.status_code, "Location" in page.headers) == (200, False)
    assert page.headers["Content-Language"] == "fr"
    assert '<a class="button" href="https://shop.example/return?order=1&amp;x=%22">' in page.text
    assert "<form" not in page.text
    assert requests.get(bank.acs_url(waiting), timeout=60).text == page.text


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_unknown_address_is_a_page_too(bank: BankClient, method: str) -> None:
    page = requests.request(method, f"{bank.address}/acs/nothing", data={"code": "1"}, timeout=60)

    assert page.status_code == 404
    assert "Page introuvable" in page.text


def test_a_waiting_payment_keeps_no_cvv(own_app: Flask, own_bank: BankClient) -> None:
    waiting = own_bank.challenged(number="5100100000000048", card={"cvv": "321"}, amount_minor=1000)

    with own_app.app_context(), db.reading() as session:
        row = session.execute(text("SELECT * FROM network_requests")).mappings().one()

    assert waiting["request_id"] == row["request_id"]
    assert "321" not in {str(value) for value in row.values()}
    assert "5100100000000048" not in {str(value) for value in row.values()}
