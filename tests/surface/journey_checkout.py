"""/checkout: the pages on which a person pays for a merchant, and the bank's own page."""

from typing import Any

from tests.surface.api import FULL, Api, card
from tests.surface.journey_lab import form_key
from tests.surface.player import Player


def play(player: Player, api: Api) -> None:
    """Play it, in both languages."""
    player.journey("checkout")

    def page_of(title: str, **members: Any) -> tuple[str, str]:
        made = api.post(title, "payments", {**FULL, **members})
        return made["id"], "/checkout/" + made["checkout_url"].rpartition("/")[2]

    payment, page = page_of("create for a person")
    first = player.send("page", f"GET {page}")
    player.send("page in English", f"GET {page}", headers={"Accept-Language": "en"})
    player.send("page in French", f"GET {page}", headers={"Accept-Language": "fr"})
    form = {
        "form_key": form_key(first),
        "cardNumber": "4000100000000042",
        "expirationDate": "01/30",
        "cardCode": "123",
        "email": "",
    }
    player.send("form: declined", f"POST {page}", form=form)
    player.send(
        "form: wrong", f"POST {page}", form={**form, "cardNumber": "1"}, headers={"Accept-Language": "en"}
    )
    player.send("form: JSON", f"POST {page}", card("4242424242424242"))
    form |= {"form_key": form_key(player.look(f"GET {page}")), "cardNumber": "4242 4242 4242 4242"}
    player.send("form: paid", f"POST {page}", form=form)
    player.send("page of what is paid", f"GET {page}", headers={"Accept-Language": "fr"})
    api.get("show it", f"payments/{payment}")

    payment, page = page_of(
        "create for a cardholder with a code", customer={"locale": "fr"}, order_id="order-9"
    )
    form |= {"form_key": form_key(player.look(f"GET {page}")), "cardNumber": "4000100000000075"}
    player.send("form: the bank asks", f"POST {page}", form=form)
    challenge = api.get("show it", f"payments/{payment}")["next_action"]["redirect_to_url"]["url"]
    bank = "bank:/acs/" + challenge.rpartition("/")[2]
    player.send("the bank's page", f"GET {bank}")
    player.send("the bank's page in English", f"GET {bank}", headers={"Accept-Language": "en"})
    player.send("wrong code", f"POST {bank}", form={"code": "000000"})
    player.send("no code", f"POST {bank}", form={"code": ""})
    done = player.send("the code", f"POST {bank}", form={"code": "123456"})
    api.wait(f"payments/{payment}", '"status":"completed"')  # by the bank's event
    back = done.text[done.text.index("/checkout/3ds/") :].partition('"')[0]
    player.send("back in the shop", f"GET {back}")
    player.send(
        "back in the shop, by a form", f"POST {back}", form={"x": "1"}, headers={"Accept-Language": "en"}
    )
    api.get("show it", f"payments/{payment}")
    player.send("the bank's page after that", f"GET {bank}")

    payment, page = page_of("create to cancel", order_id="order-10", return_url=None)
    api.post("cancel", f"payments/{payment}/cancel", {"reason": "out of stock"})
    player.send("page of what is cancelled", f"GET {page}")
    player.send("form: cancelled", f"POST {page}", form=form)
    for path in ("/checkout/none", "/checkout/3ds/none", "/checkout/é"):
        player.send(f"page: {path}", f"GET {path}")
        player.send(f"form: {path}", f"POST {path}", form=form)
    player.send("no page of the bank", "GET bank:/acs/none")
