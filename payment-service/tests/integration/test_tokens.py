"""POST /oauth2/token and the published keys."""

import base64
import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
from joserfc.jwk import KeySet
from joserfc.jws import extract_compact
from joserfc.jwt import decode
from payment_service.commands.access.api_clients import (
    ClientCredentials,
    disable_api_client,
    rotate_client_secret,
)
from payment_service.domain.access.access_tokens import PinnedAlgorithm
from payment_service.models.merchant import ApiClient, SigningKey
from payment_service.values.scopes import Scope, SigningAlgorithm
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from tests.testkit.payments.access import FORM, ask_token, new_client, open_shop
from tests.testkit.payments.client import Answer
from tests.testkit.payments.world import World

GRANT = {"grant_type": "client_credentials"}


def basic(client_id: str, secret: str) -> Mapping[str, str]:
    text = base64.b64encode(f"{client_id}:{secret}".encode()).decode()
    return {"Authorization": f"Basic {text}"}


def refusal(answer: Answer) -> tuple[int, str]:
    assert answer.content_type == "application/json"
    assert set(answer.json) == {"error", "error_description"}
    assert answer.headers["Cache-Control"] == "no-store"
    return answer.status_code, answer.json["error"]


def test_a_token_is_a_signed_jwt_that_the_published_keys_verify(world: World) -> None:
    shop = open_shop(world)

    answer = ask_token(world, shop.credentials)

    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Pragma"] == "no-cache"
    assert (answer.json["token_type"], answer.json["expires_in"]) == ("Bearer", 900)
    assert answer.json["scope"] == " ".join(Scope)
    jwks = world.client.get("/.well-known/jwks.json").json
    token = decode(
        answer.json["access_token"],
        KeySet.import_key_set(jwks),
        registry=PinnedAlgorithm(SigningAlgorithm.EDDSA),
    )
    claims = token.claims
    assert token.header == {"typ": "at+jwt", "alg": "EdDSA", "kid": jwks["keys"][0]["kid"]}
    assert claims["iss"] == world.config.public_base_url
    assert claims["aud"] == f"{world.config.public_base_url}/v1"
    assert claims["sub"] == claims["client_id"] == shop.credentials.client_id
    assert claims["merchant_id"] == shop.merchant_id
    assert claims["exp"] - claims["iat"] == 900
    assert claims["jti"].startswith("tok_")


def test_published_keys_are_public_and_may_be_kept_for_a_while(world: World) -> None:
    answer = world.client.get("/.well-known/jwks.json")

    (key,) = answer.json["keys"]
    assert set(key) == {"kty", "crv", "x", "kid", "alg", "use"}
    assert answer.headers["Cache-Control"] == "public, max-age=300"


def test_every_token_is_another_one(world: World) -> None:
    credentials = new_client(world, "mer_lab")

    tokens = {ask_token(world, credentials).json["access_token"] for _ in range(3)}

    assert len(tokens) == 3


@pytest.mark.parametrize("encode", [str, lambda text: quote(text, safe="")])
def test_a_client_may_use_http_basic(world: World, encode: Any) -> None:
    client = new_client(world, "mer_lab")
    headers = basic(encode(client.client_id), encode(client.client_secret))

    with_id = world.client.post(
        "/oauth2/token", data={**GRANT, "client_id": client.client_id}, headers=headers
    )
    without = world.client.post("/oauth2/token", data=GRANT, headers=headers)

    assert (with_id.status_code, without.status_code) == (200, 200)


def test_a_scope_can_be_narrowed_and_never_widened(world: World) -> None:
    client = new_client(world, "mer_lab", [Scope.PAYMENTS_READ, Scope.PAYMENTS_WRITE])

    assert ask_token(world, client).json["scope"] == "payments:read payments:write"
    assert ask_token(world, client, scope="payments:read").json["scope"] == "payments:read"
    # A parameter without a value counts as omitted.
    assert ask_token(world, client, scope="").json["scope"] == "payments:read payments:write"
    for scope in ("refunds:write", "payments:read refunds:write", "everything", " ", "payments:read\tx"):
        assert refusal(ask_token(world, client, scope=scope)) == (400, "invalid_scope")


def test_what_is_no_request_for_a_token_is_refused_in_the_words_of_oauth(world: World) -> None:
    client = new_client(world, "mer_lab")
    pair = {"client_id": client.client_id, "client_secret": client.client_secret}
    headers = basic(*pair.values())

    def post(data: Any, **more: Any) -> tuple[int, str]:
        return refusal(world.client.post("/oauth2/token", data=data, **more))

    assert post({**GRANT, **pair}, content_type="multipart/form-data") == (400, "invalid_request")
    assert post(json.dumps({**GRANT, **pair}), content_type="application/json") == (400, "invalid_request")
    assert post("", content_type=None) == (400, "invalid_request")
    assert post(pair) == (400, "invalid_request")
    assert post({**GRANT, **pair}, headers=headers) == (400, "invalid_request")
    assert post({**GRANT, "client_id": "cli_other"}, headers=headers) == (400, "invalid_request")
    twice = f"grant_type=client_credentials&grant_type=x&client_id={client.client_id}"
    assert post(twice, content_type=FORM) == (400, "invalid_request")
    assert post({"grant_type": "password", **pair}) == (400, "unsupported_grant_type")


@pytest.mark.parametrize(
    "header",
    ["Basic", "Basic !!!", "Basic w6k=", "Basic /w==", "Basic \xff", "Basic YTpi\xe9", "Bearer abc", "", "é"],
)
def test_a_header_that_names_no_client_is_refused(world: World, header: str) -> None:
    answer = world.client.post("/oauth2/token", data=GRANT, headers={"Authorization": header})

    assert refusal(answer) == (401, "invalid_client")
    assert answer.headers["WWW-Authenticate"] == 'Basic realm="caisse"'


def test_unknown_clients_and_wrong_secrets_are_told_the_same(world: World) -> None:
    client = new_client(world, "mer_lab")
    wrong = [
        ClientCredentials(client.client_id, "cs_wrong"),
        ClientCredentials(client.client_id, client.client_secret + "x"),
        ClientCredentials(client.client_id.upper(), client.client_secret),
        ClientCredentials("cli_nobody", client.client_secret),
        ClientCredentials("é\x00'", "\x00"),
        ClientCredentials("c" * 65, "x"),
    ]

    answers = [ask_token(world, credentials) for credentials in wrong]
    nobody = world.client.post("/oauth2/token", data=GRANT)

    assert {refusal(answer) for answer in (*answers, nobody)} == {(401, "invalid_client")}
    assert len({answer.text for answer in (*answers, nobody)}) == 1
    assert nobody.headers["WWW-Authenticate"] == 'Basic realm="caisse"'


def test_two_secrets_are_valid_at_once_until_the_older_one_ends(world: World) -> None:
    first = new_client(world, "mer_lab")

    def rotate(overlap: timedelta) -> ClientCredentials:
        with world.app.app_context():
            return rotate_client_secret(first.client_id, overlap, world.dependencies)

    def valid(*given: ClientCredentials) -> list[bool]:
        return [ask_token(world, credentials).status_code == 200 for credentials in given]

    second = rotate(timedelta(hours=1))
    assert valid(first, second) == [True, True]
    third = rotate(timedelta(hours=1))
    assert valid(first, second, third) == [False, True, True]
    fourth = rotate(timedelta(0))
    assert valid(second, third, fourth) == [False, False, True]


def test_secrets_are_stored_as_hmac_only(world: World) -> None:
    client = new_client(world, "mer_lab")
    with world.app.app_context():
        newer = rotate_client_secret(client.client_id, timedelta(hours=1), world.dependencies)

    (row,) = world.all(ApiClient, client_id=client.client_id)

    cells = [str(getattr(row, column.name)) for column in ApiClient.__table__.columns]
    for credentials in (client, newer):
        secret = credentials.client_secret.removeprefix("cs_")
        assert not any(secret in cell for cell in cells)
    seal = world.dependencies.client_secrets.seal
    assert row.secret_hash == seal(newer.client_secret)
    assert row.previous_secret_hash == seal(client.client_secret)


def test_a_disabled_client_gets_no_token(world: World) -> None:
    client = new_client(world, "mer_lab")
    with world.app.app_context():
        disable_api_client(client.client_id)
        disable_api_client(client.client_id)

    assert refusal(ask_token(world, client)) == (401, "invalid_client")


def test_without_a_key_no_token_is_signed_and_nothing_is_said_of_keys(world: World) -> None:
    client = new_client(world, "mer_lab")
    world.change(lambda session: session.execute(delete(SigningKey)) and None)

    answer = ask_token(world, client)

    assert (answer.status_code, answer.json["code"]) == (503, "signing_unavailable")
    assert answer.content_type == "application/problem+json"
    assert world.client.get("/.well-known/jwks.json").json == {"keys": []}


def test_a_private_key_is_not_stored_in_the_clear(world: World) -> None:
    credentials = new_client(world, "mer_lab")
    token = ask_token(world, credentials).json["access_token"]
    kid = extract_compact(token.encode()).headers()["kid"]

    def seal_for_others(session: Session) -> None:
        row = session.scalar(select(SigningKey).where(SigningKey.kid == kid))
        assert row is not None
        assert '"d"' not in row.public_jwk + row.sealed_private_jwk

    world.change(seal_for_others)
