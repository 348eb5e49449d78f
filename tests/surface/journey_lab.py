"""The lab surface: what Store Manager, its collections and payers' browsers send."""

import re
from typing import Any

from tests.surface.player import Answer, Player

_PAYMENTS = "/payments-api/payments"
_GOOD = {"cardNumber": 9999999999999, "cardCode": 123, "expirationDate": "2030-01-05"}
_ORDER = {"user_id": 1, "order_id": 101, "total_amount": 3999.98}
# Each is a payment's body as it is sent.
_REFUSED_ORDERS = {
    "broken JSON": '{"user_id": 1, "order_id"',
    "a member twice": '{"user_id": 1, "order_id": 1, "total_amount": 5, "total_amount": 6}',
    "NaN": '{"user_id": 1, "order_id": 1, "total_amount": NaN}',
    "deep nesting": "[" * 40 + "]" * 40,
    "a list": "[]",
    "null": "null",
    "no amount": '{"user_id": 1, "order_id": 1}',
    "nothing": "{}",
    "amount 0": '{"user_id": 1, "order_id": 1, "total_amount": 0.0}',
    "amount below 0": '{"user_id": 1, "order_id": 1, "total_amount": -59.5}',
    "amount too small": '{"user_id": 1, "order_id": 1, "total_amount": 0.001}',
    "amount too large": '{"user_id": 1, "order_id": 1, "total_amount": 10000000000}',
    "amount without end": '{"user_id": 1, "order_id": 1, "total_amount": 1e400}',
    "amount is a word": '{"user_id": 1, "order_id": 1, "total_amount": "five"}',
    "order id is a word": '{"user_id": 1, "order_id": "first", "total_amount": 5}',
    "order id too large": '{"user_id": 1, "order_id": 9223372036854775808, "total_amount": 5}',
    "user id is null": '{"user_id": null, "order_id": 1, "total_amount": 5}',
    "too long": '{"user_id": 1, "order_id": 1, "total_amount": 5, "note": "' + "x" * 70_000 + '"}',
    "no UTF-8": b'{"user_id": 1, "order_id": 1, "total_amount": "\xff"}',
}
_LENIENT_ORDERS = {
    "texts": '{"order_id": "103", "user_id": "1", "total_amount": "249.5"}',
    "binary noise": '{"user_id": 1, "order_id": 104, "total_amount": 21999.890000000003}',
    "half a cent": '{"user_id": 1.0, "order_id": 105, "total_amount": 2.875}',
    "true as an id": '{"user_id": true, "order_id": 106, "total_amount": 59.5}',
    "unknown members": '{"user_id": 1, "order_id": 107, "total_amount": 5, "note": "é"}',
}
_DECLINED_CARDS = (
    "4000100000000034",
    "4000100000000042",
    "4000100000000059",
    "5100100000000022",
    "5100100000000030",
    "5100100000000048",
    "4000200000000024",
    "5100100000000055",
    "4000100000000067",
)
_REFUSED_CARDS: dict[str, Any] = {
    "wrong check digit": {**_GOOD, "cardNumber": "4242424242424241"},
    "number too short": {**_GOOD, "cardNumber": 42},
    "expired": {**_GOOD, "expirationDate": "2020-01-05"},
    "another form of date": {**_GOOD, "expirationDate": "05/01/2030"},
    "code is a word": {**_GOOD, "cardCode": "abc"},
    "nothing": {},
    "a list": [],
    "null": {**_GOOD, "cardNumber": None},
}


def play(player: Player) -> None:
    """Play all of it."""
    player.journey("lab")
    _an_order_is_paid(player)
    _created(player)
    _cards(player)
    _wrong_requests(player)
    player.journey("lab_page")
    _page(player)
    player.journey("shop_orders")
    _through_the_shop(player)


def create(player: Player, title: str, body: Any = None) -> int:
    """Create a payment of the lab and return its id."""
    return int(player.send(title, f"POST {_PAYMENTS}", body or _ORDER)["payment_id"])


def pay(player: Player, title: str, payment: object, card: Any = None, **options: Any) -> Answer:
    """Send a card, as the page's address takes it."""
    body = _GOOD if card is None else card
    return player.send(title, f"POST {_PAYMENTS}/process/{payment}", body, **options)


def _an_order_is_paid(player: Player) -> None:
    payment = create(player, "create")
    player.send("show", f"GET {_PAYMENTS}/{payment}")
    pay(player, "pay", payment)
    pay(player, "pay again", payment)
    pay(player, "pay again with another card", payment, {**_GOOD, "cardNumber": "4242424242424242"})
    player.send("show what is paid", f"GET {_PAYMENTS}/{payment}")
    again = create(player, "create for the same order")
    player.send("pay as the collections do", f"POST {_PAYMENTS}/{again}", _GOOD)
    for seeded in (1, 2):
        player.send(f"show the seeded payment {seeded}", f"GET {_PAYMENTS}/{seeded}")


def _created(player: Player) -> None:
    for title, body in _LENIENT_ORDERS.items():
        payment = create(player, f"create: {title}", body)
        player.send(f"show: {title}", f"GET {_PAYMENTS}/{payment}")
    for title, refused in _REFUSED_ORDERS.items():
        player.send(f"create: {title}", f"POST {_PAYMENTS}", refused)


def _cards(player: Player) -> None:
    payment = create(player, "create for many cards", {**_ORDER, "order_id": 108})
    for title, card in _REFUSED_CARDS.items():
        pay(player, f"pay: {title}", payment, card)
    for number in _DECLINED_CARDS[:-1]:
        pay(player, f"pay: declined {number}", payment, {**_GOOD, "cardNumber": number})
    player.send("show what was declined", f"GET {_PAYMENTS}/{payment}")
    pay(player, "pay: 3-D Secure without a challenge", payment, {**_GOOD, "cardNumber": _DECLINED_CARDS[-1]})
    lost = create(player, "create for a lost answer", {**_ORDER, "order_id": 109})
    pay(player, "pay: the bank's answer is lost", lost, {**_GOOD, "cardNumber": "4000200000000040"})
    large = create(player, "create for a review", {**_ORDER, "order_id": 110, "total_amount": 200000})
    pay(player, "pay: held for a review", large, {**_GOOD, "cardNumber": "4242424242424242"})
    pay(player, "pay what is held", large)
    player.send("show what is held", f"GET {_PAYMENTS}/{large}")
    player.send("page of what is held", f"GET {_PAYMENTS}/process/{large}")
    secured = create(player, "create for 3-D Secure", {**_ORDER, "order_id": 111})
    pay(player, "pay: the bank asks its cardholder", secured, {**_GOOD, "cardNumber": "4000100000000075"})
    player.send("show what waits for its cardholder", f"GET {_PAYMENTS}/{secured}")
    player.send("page of what waits for its cardholder", f"GET {_PAYMENTS}/process/{secured}")


def _wrong_requests(player: Player) -> None:
    for name in ("0", "None", "999999999999", "-1", "1" * 40, "abc", "1.5", "%00"):
        player.send(f"show {name}", f"GET {_PAYMENTS}/{name}")
        player.send(f"page of {name}", f"GET {_PAYMENTS}/process/{name}", headers={"Accept-Language": "en"})
        pay(player, f"pay {name}", name)
    text = {"Content-Type": "text/plain"}
    player.send("create: not JSON by its type", f"POST {_PAYMENTS}", _ORDER, headers=text)
    player.send("create: a form", f"POST {_PAYMENTS}", form={"user_id": "1", "order_id": "1"})
    player.send("create: no body", f"POST {_PAYMENTS}")
    pay(player, "pay: not JSON by its type", 1, headers=text)
    for method in ("GET", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"):
        player.send(f"{method} of the payments", f"{method} {_PAYMENTS}")
        player.send(f"{method} of the payments, past the gateway", f"{method} payment:/payments")
    player.send("POST past the gateway: an id is shown only", "POST payment:/payments/1", _GOOD)
    for path in (
        "/",
        "/payments-api/nothing",
        "/payments-api/payments/",
        "/payments",
        "/internal/assessments",
    ):
        player.send(f"no route: {path}", f"GET {path}")
    player.send("accept: text only", f"GET {_PAYMENTS}/1", headers={"Accept": "text/plain"})
    player.send("accept: HTML", f"GET {_PAYMENTS}/999999", headers={"Accept": "text/html"})


def _page(player: Player) -> None:
    payment = create(player, "create", {**_ORDER, "order_id": 112})
    address = f"{_PAYMENTS}/process/{payment}"
    page = player.send("page", f"GET {address}")
    for language in ("fr", "en", "en-GB,en;q=0.9,fr;q=0.8", "de", "ar;q=1, fr;q=0.5", ";;;"):
        player.send(f"page in {language}", f"GET {address}", headers={"Accept-Language": language})
    player.send("page as JSON", f"GET {address}", headers={"Accept": "application/json"})
    form = {
        "form_key": form_key(page),
        "cardNumber": "9999 9999 9999 9",
        "expirationDate": "01/30",
        "cardCode": "123",
        "email": "payer@example.com",
    }
    send = f"POST {address}"
    player.send("form: wrong check digit", send, form={**form, "cardNumber": "4242 4242 4242 4241"})
    player.send("form: all is empty", send, form=dict.fromkeys(form, ""), headers={"Accept-Language": "en"})
    player.send("form: no field", send, form={"nothing": "1"})
    player.send("form: expired", send, form={**form, "expirationDate": "01/20"})
    player.send("form: no address", send, form={**form, "email": "payer"})
    player.send("form: another key", send, form={**form, "form_key": "0" * 32})
    player.send("form: too long", send, form={**form, "note": "x" * 70_000})
    declined = {**form, "cardNumber": "4000100000000034"}
    player.send("form: declined", send, form=declined)
    player.send("form: declined, the same form", send, form=declined)
    player.send(
        "form: declined, in English",
        send,
        form={**declined, "form_key": form_key(player.look(f"GET {address}"))},
        headers={"Accept-Language": "en"},
    )
    player.send("page after that", f"GET {address}")
    form["form_key"] = form_key(player.look(f"GET {address}"))
    player.send("form: paid", send, form=form)
    player.send("form: paid, the same form", send, form=form)
    player.send(
        "form: paid, as a browser that wants English", send, form=form, headers={"Accept-Language": "en"}
    )
    player.send("page of what is paid", f"GET {address}")
    player.send("page of what is paid, in English", f"GET {address}", headers={"Accept-Language": "en"})
    player.send("form: unknown payment", f"POST {_PAYMENTS}/process/999999", form=form)


def form_key(page: Answer) -> str:
    """Read the hidden field of a form; empty where there is none."""
    found = re.search(r'name="form_key" value="([^"]*)"', page.text)
    return found[1] if found else ""


def _through_the_shop(player: Player) -> None:
    order = player.send(
        "order in the shop",
        "POST /store-manager-api/orders",
        {"user_id": 1, "items": [{"product_id": 1, "quantity": 2}]},
    )["order_id"]
    show = f"GET /store-manager-api/orders/{order}"
    link = player.send("show the order", show)["payment_link"]
    pay(player, "pay the order", link.rpartition("/")[2])
    player.wait(show, lambda answer: '"True"' in answer.text)
    player.send("show the order that is paid", show)
    player.send("the other prefix", f"GET /store-api/orders/{order}")
    player.send("update an unknown order", "PUT /store-api/orders", {"order_id": 77, "is_paid": True})
