"""What the requests left behind: events, letters, order updates, and what the commands show of them."""

import email
import email.policy
import json
import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tests.surface.api import PAYMENT, Api, basic
from tests.surface.checkout import System, wait_until
from tests.surface.journey_money import BANK
from tests.surface.journey_services import OURS
from tests.surface.player import Player

_SHOWN = (
    "payment-service outbox dead",
    "payment-service outbox list --limit 1000",
    "payment-service webhooks list --limit 1000",
    "payment-service webhooks show 1",
    "payment-service webhooks show 999",
    "payment-service unresolved --older-than 0",
    "payment-service merchants list",
    "payment-service merchants show mer_lab",
    "payment-service merchants show mer_none",
    "payment-service api-clients list",
    "payment-service api-clients disable cli_none",
    "payment-service signing-keys list",
    "payment-service vault status",
    "payment-service verify-events",
    "payment-service verify-ledger",
    "payment-service nothing",
    "fraud-service lists show",
    "notification-service deliveries list --limit 1000",
    "notification-service deliveries dead",
    "notification-service events list --limit 1000",
    "bank-simulator cards",
    "bank-simulator cards --bench",
    "bank-simulator verify",
)
_IN_THIS_ORDER = (
    "payment-service migrate",
    "payment-service outbox replay 999999",
    "payment-service vault rotate-keys",
    "fraud-service lists add deny bin 400000 --reason surface --by nobody",
    "fraud-service lists show",
    "fraud-service lists remove deny bin 400000",
    "fraud-service lists remove deny bin 400000",
)
# What several threads deliver; the number of a row says only who was faster.
_IN_ANY_ORDER = {
    "payment-service webhooks list --limit 1000",
    "notification-service deliveries list --limit 1000",
    "notification-service events list --limit 1000",
}
_ROW = re.compile(r"^\d+(?=  )")
_COUNTS = re.compile(r"(?<=tries )\d+|(?<=for )\d+(?= s\b)|(?<=asked )\d+(?= time)")


def settle(system: System) -> None:
    """Wait until the workers have told everything to everybody."""
    for command in ("payment-service outbox list", "payment-service webhooks list"):
        wait_until(
            lambda command=command: "pending" not in system.ask(f"{command} --status pending"), command
        )
    wait_until(
        lambda: "queued" not in system.ask("notification-service deliveries list --status queued"), "letters"
    )


def write_events(player: Player, api: Api) -> list[Any]:
    """Write every event of the lab's merchant, a line each, the oldest first; return them."""
    player.journey("events")
    events = _all_events(player, api)[::-1]
    for event in events:
        player.write(player.placeholders.replace(json.dumps(event, ensure_ascii=False)) + "\n")
    return events


def write_neighbours(player: Player, events: Sequence[Any]) -> None:
    """Write what the other services were asked for these events."""
    player.journey("neighbours")
    for attempt in dict.fromkeys(event["data"]["attempt"] for event in events if "attempt" in event["data"]):
        player.send("assessment", f"GET fraud:/internal/assessments/{attempt}", headers=OURS)
    for event in events:
        if event["type"] == "payment.completed":
            player.send("letter", f"GET notification:/internal/notifications/{event['id']}", headers=OURS)
    after = 0
    while after is not None:
        address = f"GET bank:/admin/requests?merchant_id=mer_lab&limit=10&after={after}"
        after = player.send("what the bank was asked", address, headers=BANK)["next_after"]


def write_letters(player: Player, folder: Path) -> None:
    """Write every letter, decoded, in an order that does not depend on who was faster."""
    player.journey("mail")
    letters = [_decoded(file.read_bytes()) for file in folder.glob("*.eml")]
    for letter in sorted(letters, key=player.placeholders.preview):
        player.write(player.placeholders.replace(letter) + "\n")


def write_updates(player: Player, updates: Sequence[tuple[str, ...]]) -> None:
    """Write each order update that the shop got; one that was repeated stands here once."""
    player.journey("shop")
    for update in sorted({player.placeholders.preview("\n".join(update)) for update in updates}):
        player.write(f"{update}\n\n")


def write_commands(player: Player) -> None:
    """Write what the commands of operators say."""
    player.journey("commands")
    with ThreadPoolExecutor(max_workers=4) as pool:
        for command, text in zip(_SHOWN, pool.map(player.system.ask, _SHOWN), strict=True):
            _write_command(player, command, text)
    for command in _IN_THIS_ORDER:
        _show(player, command)


def write_second_merchant(player: Player, others: Sequence[str] = ()) -> None:
    """Make a merchant and a program of its, and write what it sees: nothing of `others`, paths of /v1."""
    player.journey("second_merchant")
    made = _show(
        player, "payment-service merchants create --name Atlas --address Rabat --currency EUR --locale en"
    )
    merchant = next(word.strip('",') for word in made.split() if word.strip('",').startswith("mer_"))
    made = _show(
        player, f"payment-service api-clients create --merchant {merchant} --name till --scope payments:read"
    )
    words = [word.strip('",') for word in made.split()]
    client, secret = (next(word for word in words if word.startswith(start)) for start in ("cli_", "cs_"))
    form = {"grant_type": "client_credentials"}
    token = player.send(
        "token of the second merchant", "POST /oauth2/token", form=form, headers=basic(client, secret)
    )
    other = Api(player, token["access_token"])
    other.get("its payments", "payments")
    other.get("its merchant", "merchant")
    for path in others:
        other.get("what another merchant owns", path)
    other.post("no scope", "payments", PAYMENT)
    _show(player, f"payment-service api-clients rotate-secret {client}")
    _show(player, "payment-service signing-keys rotate")
    _show(player, f"payment-service api-clients disable {client}")
    player.send(
        "token of a client that is disabled", "POST /oauth2/token", form=form, headers=basic(client, secret)
    )
    player.send("keys", "GET /.well-known/jwks.json")


def _show(player: Player, command: str) -> str:
    text = player.system.ask(command)
    _write_command(player, command, text)
    return text


def _write_command(player: Player, command: str, text: str) -> None:
    """Write what a command said; how often something was tried, and for how long, depends on the machine."""
    shown = _COUNTS.sub("…", text)
    if command in _IN_ANY_ORDER:
        lines = [_ROW.sub("", line) for line in shown.splitlines()]
        shown = "\n".join(sorted(lines, key=player.placeholders.preview)) + "\n"
    player.write(player.placeholders.replace(f"$ {command}\n{shown}") + "\n")


def _decoded(raw: bytes) -> str:
    """Lay out a letter: its headers as they were sent, its parts without their encoding."""
    letter: Any = email.message_from_bytes(raw, policy=email.policy.default)
    head = raw.replace(b"\r\n", b"\n").partition(b"\n\n")[0].decode()
    parts = [
        f"---- {part['Content-Type']}\n{part.get_content()}"
        for part in letter.walk()
        if not part.is_multipart()
    ]
    return "\n".join([f"==== {letter['Subject']}", head, *parts])


def _all_events(player: Player, api: Api) -> list[Any]:
    """Read every event of the merchant, the newest first."""
    events: list[Any] = []
    while True:
        after = f"&starting_after={events[-1]['id']}" if events else ""
        page = player.look(f"GET /v1/events?limit=100{after}", api.bearer)
        events += page["data"]
        if not page["has_more"]:
            return events
