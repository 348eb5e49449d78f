"""/v1: what merchants' servers send to take a payment, and what is refused."""

from typing import Any

from tests.surface.api import FULL, PAYMENT, Api, card
from tests.surface.player import Answer, Player

_REFUSED_PAYMENTS: dict[str, Any] = {
    "broken JSON": '{"amount": 1',
    "a list": [],
    "nothing": {},
    "amount 0": {**PAYMENT, "amount": 0},
    "amount is no whole number": {**PAYMENT, "amount": 1.5},
    "amount is a text": {**PAYMENT, "amount": "19999"},
    "amount too large": {**PAYMENT, "amount": 10**12},
    "no currency of this world": {**PAYMENT, "currency": "ZZZ"},
    "currency in small letters": {**PAYMENT, "currency": "mad"},
    "unknown member": {**PAYMENT, "colour": "red"},
    "unknown capture method": {**PAYMENT, "capture_method": "later"},
    "confirm without a card": {**PAYMENT, "confirm": True},
    "a card without confirm": {
        **PAYMENT,
        "card": {"number": "4242424242424242", "exp_month": 1, "exp_year": 2030},
    },
    "wrong addresses": {
        **PAYMENT,
        "return_url": "javascript:1",
        "customer": {"email": "x", "phone": "0", "locale": "French"},
    },
    "metadata that is no text": {**PAYMENT, "metadata": {"a": {"b": 1}}},
    "line item of nothing": {**PAYMENT, "line_items": [{"name": "", "quantity": 0, "unit_amount": -1}]},
    "expired card": {
        **PAYMENT,
        "confirm": True,
        "card": {"number": "4242424242424242", "exp_month": 1, "exp_year": 2020},
    },
    "wrong check digit": {
        **PAYMENT,
        "confirm": True,
        "card": {"number": "4242424242424241", "exp_month": 1, "exp_year": 2030},
    },
    "too long": {**PAYMENT, "description": "x" * 70_000},
    "unknown payment method": {**PAYMENT, "confirm": True, "payment_method": "pm_none"},
}


def play(player: Player, api: Api) -> None:
    """Play payments, idempotency keys and stored cards."""
    player.journey("v1_payments")
    _payments(api)
    _confirmations(api)
    player.journey("v1_keys")
    _keys(player, api)
    player.journey("v1_payment_methods")
    _payment_methods(api)


def _payments(api: Api) -> None:
    payment = api.post("create", "payments", PAYMENT)["id"]
    api.get("show", f"payments/{payment}")
    full = api.post("create with all members", "payments", FULL)["id"]
    api.get("show all members", f"payments/{full}")
    api.get("its events", f"payments/{full}/events")
    for title, body in _REFUSED_PAYMENTS.items():
        api.post(f"create: {title}", "payments", body)
    api.post("create: no JSON", "payments", None)
    for currency, amount in (("EUR", 100), ("JPY", 100), ("TND", 1000)):
        api.paid(f"pay in {currency}", "4242424242424242", currency=currency, amount=amount)
    for name in ("pay_none", "1", "pay_01m8ck3h00tw414psjjeprs699", "re_none", "é", "pay_" + "x" * 60):
        api.get(f"show {name}", f"payments/{name}")
        api.get(f"events of {name}", f"payments/{name}/events")
    bodies = {"confirm": card("4242424242424242"), "approve": {"reason": "x"}, "reject": {"reason": "x"}}
    for action in ("confirm", "capture", "cancel", "approve", "reject", "nothing"):
        api.post(
            f"{action} what is not there",
            f"payments/pay_none/{action}",
            bodies.get(action, {}),
        )
    for query in (
        "limit=2",
        "limit=0",
        "limit=x",
        "limit=1000",
        "status=pending",
        "status=none",
        "order_id=order-7",
        "customer=c-7",
        "amount_from=100&amount_to=20000&limit=3",
        "amount_from=x",
        "created_from=1999-01-01T00:00:00Z&limit=1",
        "created_to=1999-01-01T00:00:00Z",
        "created_from=yesterday",
        "older_than=86400",
        "starting_after=pay_none",
        f"starting_after={full}&limit=1",
        f"ending_before={payment}&limit=1",
        f"ending_before={payment}&starting_after={full}",
        "unknown=1&limit=1",
    ):
        api.get(f"list {query}", f"payments?{query}")


def _confirmations(api: Api) -> None:
    payment = api.post("create to confirm", "payments", {**PAYMENT, "order_id": "order-8"})["id"]
    confirm = f"payments/{payment}/confirm"
    api.post("confirm: nothing", confirm, {})
    api.post("confirm: card and method", confirm, {**card("4242424242424242"), "payment_method": "pm_none"})
    api.post("confirm: unknown method", confirm, {"payment_method": "pm_none"})
    api.post("confirm: wrong card", confirm, card("4242424242424241"))
    api.post("confirm: wrong CVC", confirm, card("4242424242424242", cvc="1"))
    api.post("confirm: declined", confirm, card("4000100000000034"))
    api.get("show what was declined", f"payments/{payment}")
    api.post("confirm: declined by the CVC", confirm, card("4242424242424242", cvc="999"))
    api.post("confirm", confirm, card("4000100000000018"))
    api.post("confirm what is paid", confirm, card("4242424242424242"))
    api.post("capture what is captured", f"payments/{payment}/capture", {})
    api.post("cancel what is paid", f"payments/{payment}/cancel", {})
    api.post("approve what is paid", f"payments/{payment}/approve", {"reason": "x"})
    api.get("its events", f"payments/{payment}/events")
    for number in (
        "4000100000000059",
        "5100100000000071",
        "4000200000000057",
        "5100100000000063",
        "4000300000000006",
    ):
        api.paid(f"create and confirm with {number}", number)


def _keys(player: Player, api: Api) -> None:
    def post(title: str, key: str | None, body: Any = PAYMENT, path: str = "payments") -> Answer:
        headers = {**api.bearer, **({} if key is None else {"Idempotency-Key": key})}
        return player.send(title, f"POST /v1/{path}", body, headers=headers)

    post("no key", None)
    post("empty key", "")
    post("key too long", "x" * 256)
    post("the longest key", "x" * 255)
    payment = post("first", "same")["id"]
    post("again", "same")
    post("again, the members in another order", "same", '{"currency":"MAD",  "amount":19999}')
    post("again with another amount", "same", {**PAYMENT, "amount": 1})
    confirm = f"payments/{payment}/confirm"
    post("the same key elsewhere", "same", card("4000100000000034"), confirm)
    post("declined again", "same", card("4000100000000034"), confirm)
    post("declined again, another CVC", "same", card("4000100000000034", cvc="321"), confirm)
    post("another card", "same", card("4242424242424242"), confirm)
    post("refused before anything was written", "refused", {})
    post("the same key after that", "refused")


def _payment_methods(api: Api) -> None:
    stored = {**card("4242424242424242"), "customer": {"id": "c-7"}}
    method = api.post("store", "payment-methods", stored, key="store")["id"]
    api.post("store, the same key", "payment-methods", stored, key="store")
    other = api.post("store for nobody", "payment-methods", card("5100100000000014"))["id"]
    api.post("store nothing", "payment-methods", {})
    api.post("store an expired card", "payment-methods", card("4242424242424242", exp_year=2020))
    api.post("store a wrong number", "payment-methods", card("4242424242424241"))
    api.get("show", f"payment-methods/{method}")
    api.get("show none", "payment-methods/pm_none")
    for query in (
        "",
        "?limit=1",
        "?customer=c-7",
        "?customer=nobody",
        f"?starting_after={other}",
        "?starting_after=pm_none",
    ):
        api.get(f"list {query}", f"payment-methods{query}")
    pay = {**PAYMENT, "confirm": True, "payment_method": method}
    api.post("pay with it", "payments", pay)
    api.post("pay with it and a card", "payments", {**pay, **card("4242424242424242")})
    api.post("detach", f"payment-methods/{method}/detach")
    api.post("detach again", f"payment-methods/{method}/detach")
    api.post("detach none", "payment-methods/pm_none/detach")
    api.post("pay with what is detached", "payments", pay)
    api.get("show what is detached", f"payment-methods/{method}")
