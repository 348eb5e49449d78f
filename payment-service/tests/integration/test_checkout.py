"""The checkout page of a merchant's payment, and the browser's return from its bank."""

import re
import socket
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace

import pytest
from payment_service.app import create_app
from payment_service.extensions import db
from payment_service.providers.port import Outcome, ProviderCharge, ProviderResult
from payment_service.values.statuses import FraudDecision

from tests.testkit.payments.access import Shop, open_shop
from tests.testkit.payments.client import Answer
from tests.testkit.payments.scripted.bank import PENDING, ScriptedBank
from tests.testkit.payments.scripted.sales import decline
from tests.testkit.payments.world import World

ACS_URL = "http://127.0.0.1:5012/acs/abc"
APPROVED = ProviderResult(Outcome.APPROVED, authorization_code="A00001")
BACK = "https://shop.example/back"
FORM: Mapping[str, str] = {
    "cardNumber": "4242 4242 4242 4242",
    "expirationDate": "12/31",
    "cardCode": "907",
    "email": "",
}


@pytest.fixture
def shop(world: World) -> Shop:
    return open_shop(world)


def challenge(bank: ScriptedBank, request: ProviderCharge) -> ProviderResult:
    return bank.remember(request.attempt_id, ProviderResult(Outcome.REQUIRES_ACTION, redirect_url=ACS_URL))


def new_page(world: World, shop: Shop, **changes: object) -> str:
    payment = shop.create(world, return_url=BACK, **changes).json
    path: str = payment["checkout_url"].removeprefix(world.config.public_base_url)
    return path


def open_page(world: World, path: str) -> Answer:
    return world.client.get(path, headers={"Accept-Language": "en"})


def send(world: World, path: str, form_key: str = "k1", **changes: str) -> Answer:
    data = {**FORM, "form_key": form_key, **changes}
    return world.client.post(path, data=data, headers={"Accept-Language": "en"})


def use_another_card(world: World, path: str, answer: Answer) -> Answer:
    """Press the button of the page."""
    button = re.search(r'name="other_card" value="(.*?)"', answer.text)
    assert button is not None
    return world.client.post(path, data={"other_card": button[1]}, headers={"Accept-Language": "en"})


def come_back(world: World) -> Answer:
    """Come back from the bank at which the first card is."""
    return_url = world.bank.sales[0].return_url
    assert return_url is not None
    return open_page(world, return_url.removeprefix(world.config.public_base_url))


def heading(answer: Answer) -> str:
    assert answer.content_type.startswith("text/html")
    assert answer.headers["Cache-Control"] == "no-store"
    found = re.search(r"<h1>.*?<span>(.*?)</span></h1>", answer.text, re.DOTALL)
    assert found is not None
    return found[1]


def test_a_person_pays_on_the_page_and_goes_back_to_the_merchant(world: World, shop: Shop) -> None:
    path = new_page(world, shop, description="Two books")
    shown = open_page(world, path)
    assert (shown.status_code, heading(shown)) == (200, "Pay for your order")
    assert "Two books" in shown.text
    assert BACK not in shown.text

    paid = send(world, path)

    assert (paid.status_code, heading(paid)) == (200, "Payment received")
    assert f'href="{BACK}"' in paid.text
    assert world.bank.total_minor == 19999
    again = send(world, path, form_key="k2")
    assert (again.status_code, heading(again)) == (200, "Already paid")
    assert len(world.bank.sales) == 1


def test_a_hold_is_all_that_a_payer_has_to_do(world: World, shop: Shop) -> None:
    path = new_page(world, shop, capture_method="manual")

    answer = send(world, path)

    assert (answer.status_code, heading(answer)) == (200, "Payment authorised")
    assert list(world.bank.held_minor.values()) == [19999]
    assert heading(open_page(world, path)) == "Already authorised"
    assert heading(send(world, path, form_key="k2")) == "Already authorised"


def test_a_declined_card_leaves_room_for_another(world: World, shop: Shop) -> None:
    path = new_page(world, shop)
    world.bank.script = [decline("insufficient_funds")]

    assert send(world, path).status_code == 402
    assert send(world, path, form_key="k2").status_code == 200


def test_no_line_of_the_log_knows_a_link(
    world: World, shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    path = new_page(world, shop)
    token = path.rsplit("/", 1)[1]

    open_page(world, path)
    send(world, path)

    logged = capsys.readouterr().out
    assert '"route": "/checkout/<token>"' in logged
    assert token not in logged


@pytest.mark.parametrize("token", ["nothing", "%C3%A9", "%00", "a" * 300])
def test_a_token_that_nobody_was_given_is_a_page_that_says_so(world: World, token: str) -> None:
    for path in (f"/checkout/{token}", f"/checkout/3ds/{token}"):
        assert open_page(world, path).status_code == 404
        assert "<h1>" in open_page(world, path).text
        assert world.client.post(path, data=dict(FORM)).status_code == 404


def test_a_challenge_hands_the_browser_over_without_redirecting(world: World, shop: Shop) -> None:
    path = new_page(world, shop)
    world.bank.script = [challenge]

    answer = send(world, path)

    assert (answer.status_code, heading(answer)) == (202, "Your bank wants to know that it is you")
    assert f'href="{ACS_URL}"' in answer.text
    assert "Location" not in answer.headers
    assert world.bank.sales[0].merchant_name == "Librairie Atlas"
    shown = open_page(world, path)
    assert (shown.status_code, heading(shown)) == (200, heading(answer))


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_return_asks_the_bank_and_settles_nothing_by_itself(
    world: World, shop: Shop, method: str
) -> None:
    path = new_page(world, shop)
    world.bank.script = [challenge]
    send(world, path)
    (sale,) = world.bank.sales
    assert sale.return_url is not None
    back = sale.return_url.removeprefix(world.config.public_base_url)

    too_early = world.client.open(back, method=method, headers={"Accept-Language": "en"})
    assert heading(too_early) == "Your bank wants to know that it is you"
    world.bank.settle(sale.attempt_id, APPROVED)
    assert world.waker.calls == 0
    answer = world.client.open(back, method=method, headers={"Accept-Language": "en"})

    assert (answer.status_code, heading(answer)) == (200, "Payment received")
    assert f'href="{BACK}"' in answer.text
    assert world.bank.asked == [sale.attempt_id] * 2
    assert world.waker.calls == 1
    again = world.client.open(back, method=method, headers={"Accept-Language": "en"})
    assert heading(again) == "Payment received"
    assert world.bank.asked == [sale.attempt_id] * 2


def test_a_bank_that_cannot_be_reached_leaves_the_outcome_open(world: World, shop: Shop) -> None:
    path = new_page(world, shop)
    world.bank.script = [challenge]
    send(world, path)
    world.bank.is_away = True

    answer = come_back(world)

    assert (answer.status_code, heading(answer)) == (200, "Waiting for the bank")
    assert 'href="">Look again' in answer.text
    # It may have been paid: nobody is sent to the bank again, or told that nothing was charged.
    assert ACS_URL not in answer.text
    assert "<form" not in answer.text
    world.bank.is_away = False
    world.bank.settle(world.bank.sales[0].attempt_id, APPROVED)
    assert heading(come_back(world)) == "Payment received"


def test_a_bank_that_has_not_decided_leaves_the_outcome_open(world: World, shop: Shop) -> None:
    path = new_page(world, shop)
    world.bank.script = [challenge]
    send(world, path)
    world.bank.settle(world.bank.sales[0].attempt_id, PENDING)

    assert heading(come_back(world)) == "Waiting for the bank"


def test_a_silent_bank_keeps_nobody_waiting(world: World, shop: Shop) -> None:
    path = new_page(world, shop)
    world.bank.script = [challenge]
    send(world, path)
    limits = replace(world.config.limits, ask_s=0.5)
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        app = create_app(replace(world.config, bank_url=url, limits=limits))
        started_s = time.monotonic()
        answer = come_back(replace(world, app=app, bank=world.bank))
        took_s = time.monotonic() - started_s
        with app.app_context():
            db.engine.dispose()

    assert heading(answer) == "Waiting for the bank"
    # Whoever obeyed any other limit would have waited longer still.
    assert limits.ask_s <= took_s < limits.provider_s


def test_a_return_after_another_card_has_paid_says_so(world: World, shop: Shop) -> None:
    path = new_page(world, shop)
    world.bank.script = [challenge]
    use_another_card(world, path, send(world, path))
    send(world, path, form_key="k2")

    answer = come_back(world)

    assert heading(answer) == "Already paid"
    assert world.bank.total_minor == 19999


def test_a_return_when_the_time_was_over_leads_to_the_page_with_the_form(world: World, shop: Shop) -> None:
    path = new_page(world, shop)
    world.bank.script = [challenge]
    send(world, path)
    world.bank.end_challenges()

    answer = come_back(world)

    assert heading(answer) == "Not paid yet"
    assert f'href="{world.config.public_base_url}{path}"' in answer.text
    assert "declined" not in answer.text


def test_a_return_while_the_database_is_away_is_a_page_that_promises_nothing(
    world: World, shop: Shop
) -> None:
    path = new_page(world, shop)
    world.bank.script = [challenge]
    send(world, path)

    with world.losing_database(after_units=0):
        answer = come_back(world)

    assert answer.status_code == 503
    assert answer.headers["Retry-After"]
    assert "charged" not in answer.text


def test_a_payment_without_a_way_back_ends_on_the_receipt(world: World, shop: Shop) -> None:
    payment = shop.post(world, "/v1/payments", {"amount": 19999, "currency": "MAD"}).json
    path = payment["checkout_url"].removeprefix(world.config.public_base_url)
    world.bank.script = [challenge]
    send(world, path)
    world.bank.settle(world.bank.sales[0].attempt_id, APPROVED)

    answer = come_back(world)

    assert heading(answer) == "Payment received"
    assert "<a " not in answer.text
    assert ">Order<" not in answer.text


ITEMS = [
    {"name": "Cahier <b>A5</b>", "quantity": 1200, "unit_amount": 15, "tax_amount": 990, "tax_rate": "5.5"},
    {"name": "Postage", "quantity": 1, "unit_amount": 1999},
]


def test_the_receipt_shows_the_goods_and_who_sold_them(world: World, shop: Shop) -> None:
    path = new_page(world, shop, line_items=ITEMS)
    assert "Librairie Atlas SARL" not in open_page(world, path).text

    for answer in (send(world, path), open_page(world, path)):
        shown = {
            name: re.sub(r"\s+", " ", value)
            for name, value in re.findall(r"<div><dt>(.*?)</dt><dd>(.*?)</dd></div>", answer.text)
        }
        assert shown["Legal name"] == "Librairie Atlas SARL"
        assert shown["Address"] == "2, rue du Port, Rabat"
        assert shown["Tax number"] == "IF 12345678"
        times = "\N{MULTIPLICATION SIGN}"
        assert shown["Cahier &lt;b&gt;A5&lt;/b&gt;"] == (
            f"1,200 {times} MAD 0.15 = MAD 180.00<br>tax 5.5%: MAD 9.90"
        )
        assert shown["Postage"] == f"1 {times} MAD 19.99 = MAD 19.99"


def test_who_failed_the_challenge_is_led_to_the_page_with_the_form(world: World, shop: Shop) -> None:
    path = new_page(world, shop)
    world.bank.script = [challenge]
    send(world, path)
    (sale,) = world.bank.sales
    assert sale.return_url is not None
    assert f'action="{world.config.public_base_url}{path}"' in come_back(world).text
    declined = ProviderResult(Outcome.DECLINED, decline_code="authentication_failed")
    world.bank.settle(sale.attempt_id, declined)

    answer = open_page(world, sale.return_url.removeprefix(world.config.public_base_url))

    assert heading(answer) == "Payment declined"
    assert "could not make sure that it was you" in answer.text
    assert "<form" not in answer.text
    assert f'href="{world.config.public_base_url}{path}"' in answer.text


def test_a_lab_payment_comes_back_to_its_own_page(world: World) -> None:
    payment_id = world.create()
    world.bank.script = [challenge]
    answer = world.pay(payment_id)
    assert (answer.status_code, answer.json["status"]) == (202, "requires_action")
    assert answer.json["next_action"] == {"type": "redirect_to_url", "redirect_to_url": {"url": ACS_URL}}
    (sale,) = world.bank.sales
    assert sale.return_url is not None
    world.bank.settle(sale.attempt_id, ProviderResult(Outcome.DECLINED, decline_code="do_not_honor"))

    shown = open_page(world, sale.return_url.removeprefix(world.config.public_base_url))

    own = f"{world.config.public_base_url}/payments-api/payments/process/{payment_id}"
    assert f'href="{own}"' in shown.text


def test_another_card_ends_the_challenge_first(world: World, shop: Shop) -> None:
    path = new_page(world, shop)
    world.bank.script = [challenge]
    send(world, path)
    world.bank.end_challenges()

    answer = use_another_card(world, path, open_page(world, path))

    assert (answer.status_code, heading(answer)) == (200, "Pay for your order")
    assert world.bank.abandoned == [world.bank.sales[0].attempt_id]
    assert send(world, path, form_key="k2").status_code == 200
    assert world.bank.total_minor == 19999


def test_a_bank_that_does_not_end_the_challenge_keeps_the_payer_waiting(world: World, shop: Shop) -> None:
    path = new_page(world, shop)
    world.bank.script = [challenge]
    send(world, path)
    world.bank.is_away = True

    answer = use_another_card(world, path, open_page(world, path))

    assert (answer.status_code, heading(answer)) == (202, "Your bank wants to know that it is you")
    assert "Another card cannot be used yet" in answer.text
    assert len(world.bank.sales) == 1
    world.bank.is_away = False
    assert heading(use_another_card(world, path, answer)) == "Pay for your order"


def test_the_button_sent_again_does_not_end_the_challenge_of_the_next_card(world: World, shop: Shop) -> None:
    path = new_page(world, shop)
    world.bank.script = [challenge, challenge]
    first = send(world, path)
    use_another_card(world, path, first)
    send(world, path, form_key="k2")

    answer = use_another_card(world, path, first)

    assert heading(answer) == "Your bank wants to know that it is you"
    assert "Another card cannot be used yet" not in answer.text
    assert world.bank.abandoned == [world.bank.sales[0].attempt_id]


def test_who_pays_at_the_bank_while_choosing_another_card_has_paid(world: World, shop: Shop) -> None:
    path = new_page(world, shop)
    world.bank.script = [challenge]
    waits = send(world, path)
    world.bank.settle(world.bank.sales[0].attempt_id, APPROVED)
    woken_before = world.waker.calls

    answer = use_another_card(world, path, waits)

    assert (answer.status_code, heading(answer)) == (200, "Already paid")
    assert world.waker.calls == woken_before + 1


@pytest.mark.parametrize("form_key", ["k1", "k2"])
def test_a_form_sent_while_a_challenge_waits_charges_nothing(world: World, shop: Shop, form_key: str) -> None:
    path = new_page(world, shop)
    world.bank.script = [challenge]
    send(world, path)

    answer = send(world, path, form_key=form_key)

    assert (answer.status_code, heading(answer)) == (202, "Your bank wants to know that it is you")
    assert len(world.bank.sales) == 1


def test_another_card_follows_at_once_when_the_bank_has_given_the_challenge_up(
    world: World, shop: Shop
) -> None:
    path = new_page(world, shop)
    world.bank.script = [challenge]
    send(world, path)
    failed = ProviderResult(Outcome.DECLINED, decline_code="authentication_failed")
    world.bank.settle(world.bank.sales[0].attempt_id, failed)

    answer = send(world, path, form_key="k2")

    assert (answer.status_code, heading(answer)) == (200, "Payment received")
    assert world.bank.total_minor == 19999


def test_a_payment_that_is_checked_by_a_person_says_so(world: World, shop: Shop) -> None:
    path = new_page(world, shop)
    world.fraud.script = [FraudDecision.REVIEW]

    answer = send(world, path)

    assert (answer.status_code, heading(answer)) == (202, "Payment is being checked")
    assert heading(open_page(world, path)) == "Payment is being checked"


def test_the_lab_finds_no_payment_of_a_merchant(world: World, shop: Shop) -> None:
    payment = shop.create(world).json
    stored = world.payment_by(payment["id"])

    assert world.client.get(f"/payments/{stored.id}").status_code == 404
    assert world.client.get(f"/payments/process/{stored.id}").status_code == 404
    assert world.pay(stored.id).status_code == 404


def test_a_declined_form_that_comes_again_shows_the_card_of_the_hold_that_followed(
    world: World, shop: Shop
) -> None:
    path = new_page(world, shop, capture_method="manual")
    world.bank.script = [decline("do_not_honor")]
    assert send(world, path, form_key="k1").status_code == 402
    send(world, path, form_key="k2", cardNumber="5105 1051 0510 5100")

    again = send(world, path, form_key="k1")

    assert heading(again) == "Already authorised"
    assert "5100" in again.text
    assert "4242" not in again.text
