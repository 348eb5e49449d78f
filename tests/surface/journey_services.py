"""The services themselves: health and API pages, what they ask one another, and what the bank tells us."""

import base64
import hashlib
import hmac
import json
import time
from typing import Any

from tests.surface.journey_money import BANK
from tests.surface.player import Player

OURS = {"Authorization": "Bearer lab-service-token"}
_SECRET = base64.b64decode("bGFiLWJhbmstd2ViaG9vay1zZWNyZXQtMzItYnl0ZXM=")
_ASSESSMENT = {
    "attempt_id": "att_surface",
    "payment_id": "pay_surface",
    "merchant_id": "mer_surface",
    "amount_minor": 20_000_000,
    "currency": "MAD",
    "card": {"fingerprint": "5f" * 32, "bin": "400000", "last4": "0002"},
    "user_id": "1",
    "order_id": "1",
    "client_ip": None,
}
_OUTCOME = {
    "event_id": "evt_surface_3",
    "kind": "captured",
    "merchant_id": "mer_surface",
    "payment_id": "pay_surface",
    "attempt_id": "att_surface",
    "amount_minor": 100,
    "currency": "MAD",
    "occurred_at": "2026-01-01T00:00:00Z",
    "card_fingerprint": "5f" * 32,
}
_EVENT = {
    "id": "evt_surface_3",
    "type": "payment.completed",
    "version": 1,
    "payment": "pay_surface",
    "sequence": 3,
    "at": "2026-01-01T00:00:00+00:00",
    "actor": "shop",
    "data": {"attempt": "att_surface"},
}
_LETTER = {
    "event_id": "evt_surface_letter",
    "type": "payment_receipt",
    "locale": "en",
    "recipient": {"email": "payer@example.org"},
    "data": {
        "payment_id": "3",
        "order_id": "1",
        "amount_minor": 399998,
        "currency": "EUR",
        "occurred_at": "2026-01-01T12:00:00Z",
        "merchant": {"name": "Librairie <Atlas>"},
        "card": {"last4": "9999"},
        "authorization_code": "A1B2C3",
    },
}
_SALE: dict[str, Any] = {
    "request_id": "sale-1",
    "amount_minor": 1000,
    "currency": "MAD",
    "merchant_id": "mer_surface",
    "order_id": "1",
    "card": {"number": "9999999999999", "exp_month": 1, "exp_year": 2030, "cvv": "123"},
}


def play(player: Player) -> None:
    """Play all of it."""
    player.journey("services")
    for service in ("payment", "fraud", "notification", "bank"):
        for path in ("/", "/health/live", "/health/ready", "/docs", "/docs/", "/nothing", "/openapi.json/"):
            player.send(f"{service}: {path}", f"GET {service}:{path}")
        player.send(f"{service}: POST to /health/live", f"POST {service}:/health/live", {})
        player.send(
            f"{service}: trace",
            f"GET {service}:/health/live",
            headers={"X-Request-Id": "mine-1", "traceparent": "00-" + "1" * 32 + "-" + "2" * 16 + "-01"},
        )
    player.send("gateway: health", "GET /__health")
    player.journey("fraud")
    _internal(player, "fraud:/internal/assessments", _ASSESSMENT, {**_ASSESSMENT, "amount_minor": 1})
    player.send("explain", "GET fraud:/internal/assessments/att_surface", headers=OURS)
    player.send("explain none", "GET fraud:/internal/assessments/att_none", headers=OURS)
    _internal(player, "fraud:/internal/outcomes", {"outcomes": [_OUTCOME]}, {"outcomes": [_OUTCOME] * 101})
    player.journey("notification")
    _internal(player, "notification:/internal/notifications", _LETTER, {**_LETTER, "locale": "fr"})
    player.wait(
        "GET notification:/internal/notifications/evt_surface_letter",
        lambda answer: '"sent"' in answer.text,
        OURS,
    )
    for name in ("evt_surface_letter", "evt_none"):
        player.send(f"show {name}", f"GET notification:/internal/notifications/{name}", headers=OURS)
    _internal(
        player,
        "notification:/internal/events",
        {"events": [{"merchant_id": "mer_surface", "event": _EVENT}]},
        {"events": []},
    )
    player.journey("bank")
    _bank(player)
    player.journey("webhooks")
    _webhooks(player)


def _internal(player: Player, address: str, body: Any, other: Any) -> None:
    send = f"POST {address}"
    player.send("no token", send, body)
    player.send("wrong token", send, body, headers={"Authorization": "Bearer wrong"})
    for title, sent in {
        "first": body,
        "again": body,
        "other": other,
        "nothing": {},
        "a list": [],
        "broken": "{",
        "too long": '"' + "x" * 2_000_000 + '"',
    }.items():
        player.send(title, send, sent, headers=OURS)
    player.send("text", send, "x", headers={**OURS, "Content-Type": "text/plain"})


def _bank(player: Player) -> None:
    def post(title: str, path: str, body: Any = None) -> None:
        player.send(title, f"POST bank:/{path}", body, headers=BANK)

    player.send("no token", "POST bank:/network/sales", _SALE)
    post("sale", "network/sales", _SALE)
    post("sale again", "network/sales", _SALE)
    post("sale with another amount", "network/sales", {**_SALE, "amount_minor": 1})
    post("sale of nothing", "network/sales", {})
    post(
        "sale with a 3-D Secure card",
        "network/sales",
        {**_SALE, "request_id": "sale-2", "card": {**_SALE["card"], "number": "4000100000000075"}},
    )
    post(
        "unknown number",
        "network/sales",
        {**_SALE, "request_id": "sale-3", "card": {**_SALE["card"], "number": "4000100000000019"}},
    )
    post("authorisation", "network/authorizations", {**_SALE, "request_id": "auth-1"})
    capture = {"request_id": "cap-1", "original_request_id": "auth-1", "amount_minor": 400, "final": False}
    post("capture", "network/captures", capture)
    post("capture too much", "network/captures", {**capture, "request_id": "cap-2", "amount_minor": 601})
    post("void", "network/voids", {"request_id": "void-1", "original_request_id": "auth-1"})
    post("void nothing", "network/voids", {"request_id": "void-2", "original_request_id": "none"})
    post(
        "refund",
        "network/refunds",
        {"request_id": "ref-1", "original_request_id": "sale-1", "amount_minor": 300},
    )
    for name in ("sale-1", "none"):
        player.send(f"ask for {name}", f"GET bank:/network/requests/{name}", headers=BANK)
        post(f"abandon {name}", f"network/requests/{name}/abandon")
        post(f"decide {name}", f"admin/requests/{name}/decide", {"status": "approved"})
    post("sale that was abandoned", "network/sales", {**_SALE, "request_id": "none"})
    contested = {"request_id": "contest-1", "original_request_id": "sale-1", "reason": "duplicate"}
    post("dispute", "admin/disputes", contested)
    post("dispute again", "admin/disputes", contested)
    post("dispute: unknown reason", "admin/disputes", {**contested, "reason": "none"})
    post("dispute none", "admin/disputes", {"original_request_id": "nothing"})
    post("won: none", "admin/disputes/none/won")
    post("faults", "admin/faults", {"seed": 7, "errors": {"rate": 0.0}})
    post("faults: wrong", "admin/faults", {"errors": {"rate": 2}})
    for method in ("GET", "DELETE", "GET"):
        player.send("faults", f"{method} bank:/admin/faults", headers=BANK)
    player.send("totals", "GET bank:/admin/totals", headers=BANK)
    player.send("requests", "GET bank:/admin/requests?merchant_id=mer_surface&limit=3", headers=BANK)


def _webhooks(player: Player) -> None:
    def tell(
        title: str, body: str, *, name: str = "msg_surface", at: float | None = None, signed: bool = True
    ) -> None:
        moment = int(time.time() if at is None else at)
        seal = hmac.new(_SECRET, f"{name}.{moment}.{body}".encode(), hashlib.sha256).digest()
        signature = base64.b64encode(seal if signed else b"no").decode()
        headers = {
            "webhook-id": name,
            "webhook-timestamp": str(moment),
            "webhook-signature": f"v1,{signature}",
        }
        player.send(
            title, "POST /provider-webhooks/bank-simulator", body, headers=headers, hidden=tuple(headers)[1:]
        )

    told = {"request_id": "att_none", "status": "approved", "amount_minor": 1, "currency": "MAD"}
    event = {"type": "payment.updated", "timestamp": "2026-01-01T00:00:00Z", "data": told}
    known, party = json.dumps(event), json.dumps({**event, "type": "party.opened", "data": {}})
    player.send("no signature", "POST /provider-webhooks/bank-simulator", known)
    tell("wrong signature", known, signed=False)
    tell("too old", known, at=time.time() - 3600)
    tell("an unknown request", known)
    tell("again", known)
    tell(
        "an unknown type",
        party,
        name="msg_party",
    )
    tell("unreadable", "{", name="msg_broken")
    tell("no event", "[]", name="msg_list")
