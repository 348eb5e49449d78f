"""When somebody is slow or away; and the books and events in the end."""

import threading

from tests.surface.api import PAYMENT, Api, card
from tests.surface.journey_lab import create, pay
from tests.surface.player import Player

_CHALLENGED = "4000100000000075"


def play(player: Player, api: Api) -> None:
    """Play it."""
    for part in (_busy, _away, _books):
        player.journey(f"v1{part.__name__}")
        part(player, api)


def _busy(player: Player, api: Api) -> None:
    """While the slow card's answer takes longer than we wait for it."""
    payment = api.post("create", "payments", {**PAYMENT, "order_id": "order-50"})["id"]
    confirm, slow = f"payments/{payment}/confirm", card("4000200000000032")
    headers = {**api.bearer, "Idempotency-Key": "slow"}
    waiting = threading.Thread(target=player.post_and_forget, args=(f"/v1/{confirm}", slow, headers))
    waiting.start()
    api.wait(f"payments/{payment}", '"status":"processing"')
    api.post("confirm: the same key, under way", confirm, slow, key="slow", vague=("retry-after",))
    api.post("confirm: another key, under way", confirm, card("4242424242424242"), vague=("retry-after",))
    api.post("cancel, under way", f"payments/{payment}/cancel", {}, vague=("retry-after",))
    waiting.join()
    api.post("confirm: the same key, answered", confirm, slow, key="slow")
    api.get("its events", f"payments/{payment}/events")


def _away(player: Player, api: Api) -> None:
    small = create(player, "create a small one", {"user_id": 1, "order_id": 120, "total_amount": 10})
    large = create(player, "create a larger one", {"user_id": 1, "order_id": 121, "total_amount": 1000})
    other = {"cardNumber": "4000100000000018", "cardCode": "123", "expirationDate": "2030-01"}
    with player.system.without("fraud"):
        pay(player, "fraud-service away: small", small, other)
        pay(player, "fraud-service away: larger", large, other)
        api.paid("fraud-service away: /v1", "4242424242424242")
    other_small = create(
        player, "create another small one", {"user_id": 1, "order_id": 122, "total_amount": 10}
    )
    held = api.paid("hold", "4242424242424242", capture_method="manual")
    challenged = api.paid("challenged", _CHALLENGED)
    paid = api.paid("paid", "4242424242424242")
    with player.system.without("bank"):
        pay(player, "bank away: pay", other_small, other)
        api.post(
            "bank away: pay on /v1", "payments", {**PAYMENT, "confirm": True, **card("4242424242424242")}
        )
        api.post("bank away: capture", f"payments/{held}/capture", {})
        api.post("bank away: cancel", f"payments/{held}/cancel", {})
        api.post("bank away: cancel what is challenged", f"payments/{challenged}/cancel", {})
        api.post("bank away: refund", "refunds", {"payment": paid})
    for title, payment in {"held": held, "challenged": challenged, "paid": paid}.items():
        api.get(f"show what was {title}", f"payments/{payment}")
    pay(player, "bank back: pay", other_small, other)
    with player.system.without("payment"):
        player.send("payment-service away", "GET /payments-api/payments/1")


def _books(_: Player, api: Api) -> None:
    api.get("balance", "balance")
    for query in (
        "?limit=100",
        "?limit=2",
        "?account=disputes",
        "?account=none",
        "?kind=refund_done",
        "?kind=none",
        "?payment=pay_none",
        "?created_from=1999-01-01T00:00:00Z&limit=1",
    ):
        api.get(f"entries {query}", f"balance/entries{query}")
    for query in (
        "?limit=3",
        "?type=dispute.opened&limit=1",
        "?type=none",
        "?payment=pay_none",
        "?starting_after=evt_none",
        "?created_to=1999-01-01T00:00:00Z",
        "?limit=101",
    ):
        api.get(f"events {query}", f"events{query}")
