"""/oauth2/token, and what each kind of token opens."""

from collections.abc import Mapping

from tests.surface.api import PAYMENT, Api, basic
from tests.surface.player import Answer, Player


def play(player: Player) -> Api:
    """Play it; return the program for what follows."""
    player.journey("tokens")
    client, secret = player.system.client
    wanted = {"grant_type": "client_credentials"}
    own = basic(client, secret)

    def ask(title: str, form: Mapping[str, str], headers: Mapping[str, str] | None = None) -> Answer:
        return player.send(title, "POST /oauth2/token", form=form, headers=headers)

    token = str(ask("token", wanted, own)["access_token"])
    ask("token: the secret in the body", {**wanted, "client_id": client, "client_secret": secret})
    ask("token: both", {**wanted, "client_id": client, "client_secret": secret}, own)
    narrow = str(
        ask("token: fewer scopes", {**wanted, "scope": "balance:read payments:read"}, own)["access_token"]
    )
    ask("token: a scope that nobody has", {**wanted, "scope": "everything"}, own)
    ask("token: another grant", {"grant_type": "password"}, own)
    ask("token: no grant", {"scope": "payments:read"}, own)
    ask("token: wrong secret", wanted, basic(client, "cs_wrong"))
    ask("token: unknown client", wanted, basic("cli_none", "cs_wrong"))
    ask("token: no client", wanted)
    ask("token: too long", {**wanted, "scope": "x" * 70_000}, own)
    player.send("token: JSON", "POST /oauth2/token", wanted, headers=own)
    player.send("token: GET", "GET /oauth2/token", headers=own)
    player.send("keys", "GET /.well-known/jwks.json")
    player.send("merchant", "GET /v1/merchant", headers={"Authorization": f"Bearer {token}"})
    for title, value in {
        "no token": None,
        "empty token": "Bearer ",
        "another scheme": own["Authorization"],
        "no token at all": "Bearer abc",
        "a changed token": f"Bearer {token[:-6]}AAAAAA",
        "a token without a signature": f"Bearer {token.rpartition('.')[0]}.",
    }.items():
        player.send(
            f"merchant: {title}", "GET /v1/merchant", headers={"Authorization": value} if value else {}
        )
    narrowed = Api(player, narrow)
    narrowed.get("fewer scopes: allowed", "balance")
    narrowed.post("fewer scopes: payments:write", "payments", PAYMENT)
    for path in ("events", "payments", "disputes", "refunds", "payment-methods", "balance/entries"):
        narrowed.get(f"fewer scopes: {path}", path)
    for path in ("refunds", "payment-methods", "payments/pay_none/approve", "payments/pay_none/capture"):
        narrowed.post(f"fewer scopes: {path}", path, {})
    return Api(player, token)
