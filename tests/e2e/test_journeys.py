"""The main job on the first client's real requests, through the gateway and straight to the service."""

import http.client
import json
import time
from collections.abc import Callable
from email import message_from_bytes
from email.policy import default
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from tests.e2e.conftest import PATIENCE_S, RunningSystem

CARD = {"cardNumber": 9999999999999, "cardCode": 123, "expirationDate": "2030-01-05"}
PREFIXES = ("/store-manager-api", "/store-api")


def eventually(condition: Callable[[], Any]) -> Any:
    """Return the first true value of ``condition``; the bound only ends a test that would hang."""
    deadline_s = time.monotonic() + PATIENCE_S
    while not (value := condition()):
        assert time.monotonic() < deadline_s, "it did not happen in time"
        time.sleep(0.02)
    return value


def order(system: RunningSystem, prefix: str = PREFIXES[0], **changes: Any) -> tuple[int, str]:
    """Order something in the shop; return the order's id and its payment's."""
    body = {"user_id": 1, "items": [{"product_id": 1, "quantity": 1}], **changes}
    answer = requests.post(f"{system.gateway_url}{prefix}/orders", json=body, timeout=PATIENCE_S)
    assert answer.status_code == 201
    order_id = answer.json()["order_id"]
    return order_id, system.shop.orders[order_id].payment_link.rpartition("/")[2]


@pytest.mark.parametrize("prefix", PREFIXES)
def test_an_order_gets_paid_and_the_shop_hears_of_it(running_system: RunningSystem, prefix: str) -> None:
    order_id, payment_id = order(running_system, prefix)

    answer = requests.post(
        f"{running_system.gateway_url}/payments-api/payments/{payment_id}", json=CARD, timeout=PATIENCE_S
    )

    assert answer.status_code == 200
    assert answer.json()["is_paid"] is True
    assert answer.json()["order_id"] == order_id
    assert answer.json()["payment_id"] == int(payment_id)
    eventually(lambda: running_system.shop.orders[order_id].is_paid)
    shown = requests.get(f"{running_system.gateway_url}{prefix}/orders/{order_id}", timeout=PATIENCE_S)
    assert shown.json()["is_paid"] == "True"


def test_the_shops_own_link_shows_a_page_and_takes_the_form(running_system: RunningSystem) -> None:
    order_id, payment_id = order(running_system)
    link = f"{running_system.gateway_url}/payments-api/payments/process/{payment_id}"

    page = requests.get(link, headers={"Accept-Language": "en"}, timeout=PATIENCE_S)
    form_key = page.text.split('name="form_key" value="')[1].split('"')[0]
    fields = {
        "form_key": form_key,
        "cardNumber": "4000 1000 0000 0018",
        "expirationDate": "01/30",
        "cardCode": "123",
        "email": "payer@example.org",
    }
    paid = requests.post(link, data=fields, headers={"Accept-Language": "en"}, timeout=PATIENCE_S)
    again = requests.post(link, data=fields, headers={"Accept-Language": "en"}, timeout=PATIENCE_S)

    assert (page.status_code, paid.status_code, again.status_code) == (200, 200, 200)
    assert page.headers["Cache-Control"] == "no-store"
    assert "4000100000000018" not in paid.text
    eventually(lambda: running_system.shop.orders[order_id].is_paid)
    receipt = eventually(lambda: receipt_to(running_system, "payer@example.org"))
    assert payment_id in receipt
    assert "1,999.99" in receipt


def receipt_to(system: RunningSystem, address: str) -> str | None:
    """Return the text of the receipt that was written to ``address``."""
    for path in system.mail.glob("*.eml"):
        message = message_from_bytes(path.read_bytes(), policy=default)
        if address in str(message["To"]):
            body = message.get_body(("plain",))
            return body.get_content() if body else None
    return None


@pytest.mark.parametrize("dead", ["0", "None"])
def test_a_link_without_a_payment_explains_itself(running_system: RunningSystem, dead: str) -> None:
    link = f"{running_system.gateway_url}/payments-api/payments/process/{dead}"

    page = requests.get(link, timeout=PATIENCE_S)
    posted = requests.post(link, json=CARD, timeout=PATIENCE_S)

    assert (page.status_code, posted.status_code) == (404, 404)
    assert page.headers["Content-Type"].startswith("text/html")
    assert "error" in posted.json()


def test_a_paid_payment_is_charged_once_however_often_it_is_processed(running_system: RunningSystem) -> None:
    order_id, payment_id = order(running_system)
    url = f"{running_system.gateway_url}/payments-api/payments/{payment_id}"

    statuses = [requests.post(url, json=CARD, timeout=PATIENCE_S).status_code for _ in range(3)]

    assert statuses == [200, 200, 200]
    assert len(bank_sales(running_system, str(order_id))) == 1


def bank_sales(system: RunningSystem, order_id: str) -> list[dict[str, Any]]:
    """Return the approved sales that the bank knows for an order."""
    ports = system.whole.settings.ports
    answer = requests.get(
        f"http://127.0.0.1:{ports.bank}/admin/requests",
        params={"merchant_id": "mer_lab"},
        headers={"Authorization": "Bearer lab-bank-token"},
        timeout=PATIENCE_S,
    )
    assert answer.status_code == 200
    found: list[dict[str, Any]] = answer.json()["requests"]
    return [sale for sale in found if sale.get("order_id") == order_id and sale["status"] == "approved"]


def test_another_card_pays_after_a_decline(running_system: RunningSystem) -> None:
    _, payment_id = order(running_system)
    url = f"{running_system.gateway_url}/payments-api/payments/{payment_id}"

    declined = requests.post(url, json={**CARD, "cardNumber": "4000100000000034"}, timeout=PATIENCE_S)
    paid = requests.post(url, json=CARD, timeout=PATIENCE_S)

    assert declined.status_code == 402
    assert declined.json()["decline_code"] == "insufficient_funds"
    assert declined.json()["is_paid"] is False
    assert paid.status_code == 200


def test_the_shop_hears_of_a_payment_that_was_made_while_it_was_closed(running_system: RunningSystem) -> None:
    order_id, payment_id = order(running_system)
    running_system.shop.is_open = False
    requests.post(
        f"{running_system.gateway_url}/payments-api/payments/{payment_id}", json=CARD, timeout=PATIENCE_S
    )
    time.sleep(1)

    running_system.shop.is_open = True

    eventually(lambda: running_system.shop.orders[order_id].is_paid)


def test_a_get_with_two_slashes_and_a_body_is_answered(running_system: RunningSystem) -> None:
    address = urlsplit(running_system.payment_url)
    connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=PATIENCE_S)
    body = json.dumps({"user_id": 1, "order_id": 1})
    try:
        connection.request("GET", "//", body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        document = json.loads(answer.read())
    finally:
        connection.close()

    assert answer.status == 200
    assert document == {"service": "PaymentMicroservice", "status": "running"}


def test_a_spoofed_client_address_does_no_harm(running_system: RunningSystem) -> None:
    _, payment_id = order(running_system)

    answer = requests.post(
        f"{running_system.gateway_url}/payments-api/payments/{payment_id}",
        json=CARD,
        headers={"X-Forwarded-For": "6.6.6.6, nonsense"},
        timeout=PATIENCE_S,
    )

    assert answer.status_code == 200
