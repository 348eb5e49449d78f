"""What follows an approval: captures, refunds, 3-D Secure, reviews, late decisions, disputes."""

from tests.surface.api import PAYMENT, Api, card
from tests.surface.player import Player

BANK = {"Authorization": "Bearer lab-bank-token"}
_CHALLENGED = "4000100000000075"


def play(player: Player, api: Api) -> None:
    """Play all of it; each part leaves nothing under way for the next."""
    for part in (
        _captures,
        _cancellations,
        _refunds,
        _three_ds,
        _reviews,
        _later,
        _disputes,
    ):
        player.journey(f"v1{part.__name__}")
        part(player, api)


def _captures(_: Player, api: Api) -> None:
    held = api.paid("hold", "5100100000000014", capture_method="manual")
    capture = f"payments/{held}/capture"
    api.post("refund what is held", "refunds", {"payment": held})
    for title, body in {
        "too much": {"amount": 20000},
        "0": {"amount": 0},
        "unknown member": {"x": 1},
    }.items():
        api.post(f"capture: {title}", capture, body)
    api.post("capture a part", capture, {"amount": 5000}, key="part")
    api.post("capture a part, the same key", capture, {"amount": 5000}, key="part")
    api.get("show", f"payments/{held}")
    api.post("capture the rest", capture)
    api.post("capture nothing more", capture, {})
    final = api.paid("hold another", "4000200000000016", capture_method="manual")
    api.post("capture a part as the last", f"payments/{final}/capture", {"amount": 1, "final": True})
    api.post("capture after the last", f"payments/{final}/capture", {"amount": 1})
    api.get("its events", f"payments/{final}/events")


def _cancellations(_: Player, api: Api) -> None:
    for title, number in (
        ("held", "4000200000000016"),
        ("declined", "4000100000000034"),
        ("challenged", _CHALLENGED),
    ):
        payment = api.paid(f"make one: {title}", number, capture_method="manual")
        api.post(f"cancel: {title}", f"payments/{payment}/cancel", {"reason": "out of stock"})
        api.post(f"cancel again: {title}", f"payments/{payment}/cancel", {})
        api.post(f"confirm after that: {title}", f"payments/{payment}/confirm", card("4242424242424242"))
        api.get(f"its events: {title}", f"payments/{payment}/events")
    part = api.paid("hold", "4000200000000016", capture_method="manual")
    api.post("capture a part", f"payments/{part}/capture", {"amount": 5000})
    api.post("cancel the rest", f"payments/{part}/cancel", {"reason": "r" * 501})
    api.post("cancel the rest, shorter", f"payments/{part}/cancel")


def _refunds(player: Player, api: Api) -> None:
    paid = api.paid("pay", "4242424242424242", order_id="order-20")
    refund = {"payment": paid, "amount": 3000, "reason": "damaged"}
    made = api.post("refund a part", "refunds", refund, key="refund")["id"]
    api.post("refund a part, the same key", "refunds", refund, key="refund")
    api.get("show", f"refunds/{made}")
    api.post("refund too much", "refunds", {"payment": paid, "amount": 17000})
    api.get("show the payment", f"payments/{paid}")
    api.post("refund the rest", "refunds", {"payment": paid})
    api.post("refund nothing more", "refunds", {"payment": paid})
    for title, body in {
        "nothing": {},
        "no payment": {"payment": "pay_none"},
        "amount 0": {"payment": paid, "amount": 0},
    }.items():
        api.post(f"refund: {title}", "refunds", body)
    for query in ("", "?limit=1", f"?payment={paid}", "?payment=pay_none", "?starting_after=re_none"):
        api.get(f"list {query}", f"refunds{query}")
    api.get("show none", "refunds/re_none")
    for number, status in (("4000100000000083", "approved"), ("4000100000000091", "declined")):
        slow = api.paid(f"pay with {number}", number)
        pending = api.post("refund: pending", "refunds", {"payment": slow, "amount": 100})["id"]
        api.get("the payment meanwhile", f"payments/{slow}")
        asked = (
            pending.replace("re_", "ref_")
            if player.look(f"GET bank:/network/requests/{pending}", BANK).status == 404
            else pending
        )
        player.send(
            f"the bank decides: {status}",
            f"POST bank:/admin/requests/{asked}/decide",
            {"status": status},
            headers=BANK,
        )
        api.wait(
            f"refunds/{pending}", '"status":"succeeded"' if status == "approved" else '"status":"failed"'
        )
        api.get("the refund after that", f"refunds/{pending}")
        api.get("its events", f"payments/{slow}/events")


def _three_ds(player: Player, api: Api) -> None:
    def challenge(title: str) -> tuple[str, str]:
        body = {**PAYMENT, "confirm": True, **card(_CHALLENGED), "return_url": "https://shop.example/back"}
        made = api.post(title, "payments", body)
        return made["id"], "bank:/acs/" + made["next_action"]["redirect_to_url"]["url"].rpartition("/")[2]

    for form, reached in (({"code": "123456"}, "completed"), ({"action": "cancel"}, "failed")):
        payment, bank = challenge(f"pay: {reached}")
        player.send("the cardholder answers", f"POST {bank}", form=form)
        api.wait(f"payments/{payment}", f'"status":"{reached}"')
        api.get("show", f"payments/{payment}")
        api.get("its events", f"payments/{payment}/events")
    payment, bank = challenge("pay: another card follows")
    api.post("another card", f"payments/{payment}/confirm", card("4242424242424242"))
    player.send("the cardholder answers", f"POST {bank}", form={"code": "123456"})
    api.get("its events", f"payments/{payment}/events")


def _reviews(_: Player, api: Api) -> None:
    large = {"amount": 20_000_000, "order_id": "order-30"}
    for title, method in (("automatic", "automatic"), ("manual", "manual")):
        held = api.paid(f"pay: {title}", "4242424242424242", capture_method=method, **large)
        api.post("approve without a reason", f"payments/{held}/approve", {})
        api.post("approve", f"payments/{held}/approve", {"reason": "known customer"})
        api.post("approve again", f"payments/{held}/approve", {"reason": "known customer"})
        api.get("its events", f"payments/{held}/events")
    held = api.paid("pay: to be rejected", "4242424242424242", **large)
    api.get("show", f"payments/{held}")
    api.post("confirm meanwhile", f"payments/{held}/confirm", card("4242424242424242"))
    api.post("capture meanwhile", f"payments/{held}/capture", {})
    api.post("reject without a reason", f"payments/{held}/reject")
    api.post("reject", f"payments/{held}/reject", {"reason": "stolen goods"})
    api.post("approve after that", f"payments/{held}/approve", {"reason": "x"})
    api.get("its events", f"payments/{held}/events")
    declined = api.paid("pay: declined after approval", "4000100000000034", **large)
    api.post("approve: the bank declines", f"payments/{declined}/approve", {"reason": "known customer"})
    cancelled = api.paid("pay: to be cancelled", "4242424242424242", **large)
    api.post("cancel", f"payments/{cancelled}/cancel", {})


def _later(player: Player, api: Api) -> None:
    for number, status, reached in (
        ("4000200000000065", "approved", "completed"),
        ("4000200000000073", "declined", "failed"),
    ):
        payment = api.paid(f"pay with {number}", number)
        api.post(
            "confirm meanwhile",
            f"payments/{payment}/confirm",
            card("4242424242424242"),
            vague=("retry-after",),
        )
        api.post("cancel meanwhile", f"payments/{payment}/cancel", {}, vague=("retry-after",))
        asked = api.attempt(payment)
        player.send(
            "the bank decides", f"POST bank:/admin/requests/{asked}/decide", {"status": status}, headers=BANK
        )
        api.wait(f"payments/{payment}", f'"status":"{reached}"')
        api.get("show", f"payments/{payment}")
        api.get("its events", f"payments/{payment}/events")


def _disputes(player: Player, api: Api) -> None:
    for end in ("won", "lost"):
        paid = api.paid("pay", "4242424242424242", order_id="order-40")
        contested = {
            "request_id": f"contest-{end}",
            "original_request_id": api.attempt(paid),
            "amount_minor": 5000,
        }
        opened = player.send(
            "the cardholder disputes it", "POST bank:/admin/disputes", contested, headers=BANK
        )["dispute_id"]
        api.wait(f"disputes?payment={paid}", '"dp_')
        dispute = api.get("list of its payment", f"disputes?payment={paid}")["data"][0]["id"]
        api.get("show", f"disputes/{dispute}")
        api.get("show the payment", f"payments/{paid}")
        api.post("refund more than is left", "refunds", {"payment": paid, "amount": 15000})
        api.get("balance", "balance")
        player.send(f"the bank says {end}", f"POST bank:/admin/disputes/{opened}/{end}", headers=BANK)
        api.wait(f"disputes/{dispute}", f'"status":"{end}"')
        api.get("show after that", f"disputes/{dispute}")
        api.get("its events", f"payments/{paid}/events")
    for query in ("", "?status=won", "?status=none", "?payment=pay_none", "?limit=1"):
        api.get(f"list {query}", f"disputes{query}")
    api.get("show none", "disputes/dp_none")
