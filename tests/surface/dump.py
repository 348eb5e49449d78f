"""The whole of a dump: what is copied, what is asked of programs and databases, what is played."""

import json
import logging
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests
from flask import request
from werkzeug.serving import make_server

from tests.stand_in_shop.shop import Order, Shop, create_app
from tests.surface import (
    journey_checkout,
    journey_lab,
    journey_merchant,
    journey_money,
    journey_services,
    journey_tokens,
    journey_trouble,
    leftovers,
)
from tests.surface.checkout import SERVICES, Checkout, System, temporary_folder
from tests.surface.helps import write_helps
from tests.surface.player import Player
from tests.surface.tables import write_tables

_LAB = {
    # The journeys try some cards more often than one person would in ten minutes.
    "VELOCITY_CARD_LIMIT": "1000",
    "VELOCITY_USER_LIMIT": "1000",
    "VELOCITY_IP_LIMIT": "1000",
    # A machine with much else to do must get the same answers: only the bank's slow card is late.
    "LIMIT_FRAUD_S": "8",
    "LIMIT_ASK_S": "8",
    "LIMIT_SEND_WITHIN_S": "9",
    "LIMIT_PROVIDER_S": "10",
    "BANK_SLOW_ANSWER_S": "13",
    "LIMIT_ASKS_AFTER_S": "40,60,120,300,900",
    "LIMIT_PROCESSING_S": "28",
    "LIMIT_REQUEST_S": "20",
    "GATEWAY_TIMEOUT": "25s",
    "GATEWAY_PROVIDER_TIMEOUT": "30s",
}
_WEBHOOK_SECRET = "whsec_c3VyZmFjZS1iYW5rLXdlYmhvb2stc2VjcmV0LTMy"
_PRODUCTION = {
    "CAISSE_PROFILE": "production",
    **{
        name: f"surface-{name.lower()}-of-enough-characters"
        for name in (
            "SERVICE_TOKEN",
            "BANK_TOKEN",
            "BANK_CARD_KEY",
            "CARD_FINGERPRINT_KEY",
            "EVENT_KEY",
            "TOKEN_KEY_ENCRYPTION_KEY",
            "CLIENT_SECRET_KEY",
        )
    },
    "BANK_WEBHOOK_SECRET": _WEBHOOK_SECRET,
    "BANK_WEBHOOK_SECRETS": _WEBHOOK_SECRET,
    "VAULT_KEYS": "surface:c3VyZmFjZS12YXVsdC1rZXktdGhhdC1pcy0zMi1ieXQ=",
}


def dump(checkout: Checkout, output: Path) -> list[str]:
    """Write everything; return what could not be looked at, and how many requests were played."""
    shutil.copytree(
        checkout.root / "docs" / "events", output / "events", ignore=shutil.ignore_patterns("*.md")
    )
    shutil.copy(checkout.root / "krakend" / "krakend.json", output / "krakend.json")
    write_helps(checkout, output / "help")
    with temporary_folder() as scratch:
        missing = write_tables(checkout, output / "tables", scratch)
    with temporary_folder() as scratch, System(checkout, scratch / "run", _LAB).running() as system:
        _write_descriptions(system, output / "openapi" / "lab")
        _write_gateway(system, output)
        count = _play(system, output / "answers")
    with temporary_folder() as scratch, System(checkout, scratch / "run", _PRODUCTION).running() as system:
        _write_descriptions(system, output / "openapi" / "production")
        count += _play_in_production(system, output / "answers_in_production")
    return [*(f"not looked at: {reason}" for reason in missing), f"{count} requests"]


def _write_descriptions(system: System, folder: Path) -> None:
    folder.mkdir(parents=True)
    for service in SERVICES:
        answer = requests.get(f"{system.address(service.split('-')[0])}/openapi.json", timeout=30)
        answer.raise_for_status()
        (folder / f"{service}.json").write_bytes(answer.content)
        laid_out = json.dumps(answer.json(), indent=2, ensure_ascii=False)
        (folder / f"{service}.pretty.json").write_text(laid_out + "\n")


def _write_gateway(system: System, output: Path) -> None:
    text = (system.folder / "krakend.json").read_text()
    for name in ("gateway", "payment", "shop"):
        text = text.replace(str(system.port(name)), f"<port of {name}>")
    (output / "krakend_at_a_desk.json").write_text(text)


def _play(system: System, folder: Path) -> int:
    with _shop(system) as updates:
        player = Player(system, folder)
        journey_lab.play(player)
        api = journey_tokens.play(player)
        for journey in (journey_merchant, journey_checkout, journey_money, journey_trouble):
            journey.play(player, api)
        journey_services.play(player)
        leftovers.settle(system)
        events = leftovers.write_events(player, api)
        leftovers.write_neighbours(player, events)
        leftovers.write_letters(player, system.folder / "mail")
        leftovers.write_updates(player, updates)
        leftovers.write_commands(player)
        payment = f"payments/{events[-1]['payment']}"
        leftovers.write_second_merchant(player, [payment, f"{payment}/events"])
        return player.count


def _play_in_production(system: System, folder: Path) -> int:
    """Play what is different there: the lab surface and its merchant are not."""
    player = Player(system, folder)
    player.journey("production")
    order = {"user_id": 1, "order_id": 1, "total_amount": 5}
    for address in ("/payments-api/payments", "payment:/payments"):
        player.send("create on the lab surface", f"POST {address}", order)
        player.send("show on the lab surface", f"GET {address}/1")
    for path in ("/", "/docs", "/health/ready"):
        player.send(f"payment: {path}", f"GET payment:{path}")
    player.send("no token", "GET /v1/payments")
    player.send("keys", "GET /.well-known/jwks.json")
    leftovers.write_second_merchant(player)
    return player.count


@contextmanager
def _shop(system: System) -> Iterator[list[tuple[str, ...]]]:
    """Play Store Manager, and list the order updates that it gets."""
    shop = Shop(system.address("gateway"))
    shop.orders.update({number: Order(number, 1, 1.0) for number in range(100, 200)})
    app = create_app(shop)
    updates: list[tuple[str, ...]] = []

    @app.before_request
    def remember() -> None:
        if request.method == "PUT":
            line = f"{request.method} {request.path}"
            updates.append((line, f"content-type: {request.content_type}", request.get_data(as_text=True)))

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server("127.0.0.1", system.port("shop"), app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield updates
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
