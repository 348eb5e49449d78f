"""Who gets in on /v1, and that nobody sees another merchant's things."""

import base64
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc import jwt
from joserfc.jwk import Key, OctKey, OKPKey, import_key
from joserfc.jws import JWSRegistry
from payment_service.commands.access.api_clients import disable_api_client
from payment_service.controllers.access import REQUIRED_SCOPE
from payment_service.controllers.idempotency import IS_IDEMPOTENT
from payment_service.domain.access.access_tokens import PinnedAlgorithm
from payment_service.domain.access.api_clients import REMEMBERED_S
from payment_service.extensions import db
from payment_service.models.merchant import ApiClient, Merchant, SigningKey
from payment_service.values.scopes import Scope, SigningAlgorithm
from service_kit.clock import utc_now
from sqlalchemy import event, select
from sqlalchemy.orm import Session
from werkzeug.routing import Rule

from tests.testkit.payments.access import A_PAYMENT, ask_token, bearer, new_client, open_shop
from tests.testkit.payments.cards import V1_CARD
from tests.testkit.payments.client import Answer
from tests.testkit.payments.merchant import refund_of
from tests.testkit.payments.webhooks import dispute_of
from tests.testkit.payments.world import World


def stored_card_of(world: World, merchant_id: str) -> str:
    headers = {**bearer(world, new_client(world, merchant_id)), "Idempotency-Key": str(uuid4())}
    card = {"number": "4242424242424242", "exp_month": 12, "exp_year": 2031}
    answer = world.client.post("/v1/payment-methods", json={"card": card}, headers=headers)
    assert answer.status_code == 201
    return str(answer.json["id"])


def payment_of(world: World, merchant_id: str) -> str:
    headers = {**bearer(world, new_client(world, merchant_id)), "Idempotency-Key": str(uuid4())}
    answer = world.client.post("/v1/payments", json=dict(A_PAYMENT), headers=headers)
    assert answer.status_code == 201
    return str(answer.json["id"])


# How a test makes an id of a merchant for the variable of a path; a route with a new one adds a line here.
IDS_OF_A_MERCHANT: Mapping[str, Callable[[World, str], str]] = {
    "payment_method_id": stored_card_of,
    "dispute_id": dispute_of,
    "payment_id": payment_of,
    "refund_id": refund_of,
}
# What a route wants in its body before it looks for anything.
BODIES: Mapping[str, Mapping[str, Any]] = {
    "payments.confirm": {"card": V1_CARD},
    "reviews.approve": {"reason": "known customer"},
    "reviews.reject": {"reason": "unknown customer"},
}


def show(world: World, headers: Mapping[str, str]) -> Answer:
    return world.client.get("/v1/merchant", headers=headers)


def refusal(answer: Answer) -> tuple[int, str]:
    assert answer.content_type == "application/problem+json"
    return answer.status_code, answer.json["code"]


def v1_rules(world: World) -> Iterator[Rule]:
    for rule in world.app.url_map.iter_rules():
        if rule.rule.startswith("/v1"):
            yield rule


def methods(rule: Rule) -> set[str]:
    return (rule.methods or set()) - {"HEAD", "OPTIONS"}


def test_a_merchant_sees_its_own_data(world: World) -> None:
    shop = open_shop(world)

    answer = show(world, shop.bearer)

    assert answer.status_code == 200
    document = dict(answer.json)
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", document.pop("created_at"))
    assert document == {
        "id": shop.merchant_id,
        "object": "merchant",
        "name": "Librairie Atlas",
        "legal_name": "Librairie Atlas SARL",
        "address": "2, rue du Port\nRabat",
        "tax_number": "IF 12345678",
        "locale": "fr",
        "currency": "MAD",
    }


def test_every_route_of_v1_declares_its_scope(world: World) -> None:
    undeclared = [
        rule.rule
        for rule in v1_rules(world)
        if not isinstance(getattr(world.app.view_functions[rule.endpoint], REQUIRED_SCOPE, None), Scope)
    ]

    assert "/v1/merchant" in {rule.rule for rule in v1_rules(world)}
    assert undeclared == []


def test_every_post_of_v1_takes_an_idempotency_key_and_says_so(world: World) -> None:
    description = world.client.get("/openapi.json").json
    for rule in v1_rules(world):
        view = world.app.view_functions[rule.endpoint]
        path = rule.rule.replace("<", "{").replace(">", "}")
        for method in methods(rule):
            operation = description["paths"][path][method.lower()]
            described = [
                parameter["required"]
                for parameter in operation.get("parameters", [])
                if (parameter["name"], parameter["in"]) == ("Idempotency-Key", "header")
            ]

            assert getattr(view, IS_IDEMPOTENT, False) is (method == "POST"), f"{method} {path}"
            assert described == ([True] if method == "POST" else []), f"{method} {path}"
            if method == "POST":
                assert {"400", "409", "422"} <= set(operation["responses"]), path


def test_the_declared_scope_is_described_and_enforced(world: World) -> None:
    description = world.client.get("/openapi.json").json
    nothing = {"Authorization": "Bearer abc"}
    for rule in v1_rules(world):
        scope: Scope = getattr(world.app.view_functions[rule.endpoint], REQUIRED_SCOPE)
        others = new_client(world, "mer_lab", set(Scope) - {scope})
        arguments = dict.fromkeys(rule.arguments, "x")
        for method in methods(rule):
            path = rule.rule.replace("<", "{").replace(">", "}")
            operation = description["paths"][path][method.lower()]
            url = path.format(**arguments)

            def call(headers: Mapping[str, str], method: str = method, url: str = url) -> Answer:
                return world.client.open(url, method=method, headers=headers)

            assert operation["security"] == [{"access_token": [scope]}]
            assert {"401", "403"} <= set(operation["responses"])
            assert refusal(call({})) == (401, "access_token_missing")
            assert refusal(call(nothing)) == (401, "access_token_invalid")
            forbidden = call(bearer(world, others))
            assert refusal(forbidden) == (403, "scope_missing")
            challenge = f'Bearer realm="caisse", error="insufficient_scope", scope="{scope}"'
            assert forbidden.headers["WWW-Authenticate"] == challenge


def test_no_route_of_v1_shows_anything_of_another_merchant(world: World) -> None:
    ours, theirs = open_shop(world, "Ours"), open_shop(world, "Theirs")
    for rule in v1_rules(world):
        arguments = {name: IDS_OF_A_MERCHANT[name](world, theirs.merchant_id) for name in rule.arguments}
        url = rule.rule.replace("<", "{").replace(">", "}").format(**arguments)
        for method in methods(rule):
            headers = {**ours.bearer, "Idempotency-Key": f"{method} {url}"}
            body = {"json": BODIES[rule.endpoint]} if rule.endpoint in BODIES else {}
            answer = world.client.open(url, method=method, headers=headers, **body)

            if rule.arguments:
                assert answer.status_code == 404, f"{method} {rule.rule}"
            assert theirs.merchant_id not in answer.text
            assert "Theirs" not in answer.text


def test_a_request_without_a_token_is_told_where_to_get_one(world: World) -> None:
    for headers in (
        {},
        {"Authorization": "Basic YTpi"},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer  "},
    ):
        answer = show(world, headers)

        assert refusal(answer) == (401, "access_token_missing")
        assert answer.headers["WWW-Authenticate"] == 'Bearer realm="caisse"'
        assert "/oauth2/token" in answer.json["detail"]


class Forge:
    """Makes tokens that differ from a good one in one thing."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.shop = open_shop(world)
        self.good = self.shop.bearer["Authorization"].removeprefix("Bearer ")
        row = world.all(SigningKey)[0]
        self.jwk: dict[str, Any] = json.loads(row.public_jwk)
        self.private = world.dependencies.tokens.ring.sealer.open(row.kid, row.sealed_private_jwk)
        token = jwt.decode(self.good, import_key(self.jwk), registry=PinnedAlgorithm(SigningAlgorithm.EDDSA))
        self.header, self.claims = dict(token.header), dict(token.claims)

    def sign(self, claims: Mapping[str, Any], header: Mapping[str, Any] = {}, key: Key | None = None) -> str:
        changed = {name: value for name, value in {**self.claims, **claims}.items() if value is not ...}
        head = {name: value for name, value in {**self.header, **header}.items() if value is not ...}
        algorithm = SigningAlgorithm.EDDSA
        return jwt.encode(
            head, changed, key or self.private, registry=PinnedAlgorithm(algorithm), default_type=None
        )

    def status(self, token: str) -> tuple[int, str]:
        answer = show(self.world, {"Authorization": f"Bearer {token}"})
        if answer.status_code == 200:
            return 200, ""
        challenge = answer.headers["WWW-Authenticate"]
        assert challenge.startswith('Bearer realm="caisse", error="invalid_token", error_description="')
        return refusal(answer)


@pytest.fixture
def forge(world: World) -> Forge:
    return Forge(world)


REFUSED = (401, "access_token_invalid")


def test_a_token_signed_anew_with_our_key_is_good_and_so_is_the_long_media_type(forge: Forge) -> None:
    assert forge.status(forge.sign({})) == (200, "")
    assert forge.status(forge.sign({}, {"typ": "application/AT+JWT"})) == (200, "")
    assert forge.status(forge.sign({"aud": ["other", forge.claims["aud"]]})) == (200, "")


def test_times_are_checked_with_a_small_leeway(forge: Forge) -> None:
    now = int(utc_now().timestamp())

    assert forge.status(forge.sign({"exp": now - 3})) == (200, "")
    assert forge.status(forge.sign({"nbf": now + 3, "iat": now + 3})) == (200, "")
    assert forge.status(forge.sign({"exp": now - 30})) == REFUSED
    assert forge.status(forge.sign({"nbf": now + 60})) == REFUSED
    assert forge.status(forge.sign({"iat": now + 60})) == REFUSED
    answer = show(forge.world, {"Authorization": f"Bearer {forge.sign({'exp': now - 30})}"})
    assert answer.json["detail"] == "The access token has expired."


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://elsewhere.example"},
        {"aud": "https://elsewhere.example/v1"},
        {"aud": []},
        {"exp": "tomorrow"},
        {"exp": True},
        {"client_id": "cli_nobody"},
        {"merchant_id": "mer_lab"},
        {"merchant_id": 7},
        {"scope": ["payments:read"]},
        *(
            {name: ...}
            for name in ("iss", "aud", "exp", "iat", "sub", "jti", "client_id", "scope", "merchant_id")
        ),
    ],
)
def test_claims_that_are_not_as_we_write_them_are_refused(forge: Forge, claims: dict[str, Any]) -> None:
    assert forge.status(forge.sign(claims)) == REFUSED


@pytest.mark.parametrize(
    "header",
    [
        {"typ": "JWT"},
        {"typ": ...},
        {"typ": "id+jwt"},
        {"kid": "unknown"},
        {"kid": ...},
        {"crit": ["x"], "x": 1},
    ],
)
def test_headers_of_other_tokens_are_refused(forge: Forge, header: dict[str, Any]) -> None:
    token = _unchecked(forge, header)

    assert forge.status(token) == REFUSED


def _unchecked(forge: Forge, header: Mapping[str, Any]) -> str:
    """Sign a header that the library itself would not sign."""
    head = {name: value for name, value in {**forge.header, **header}.items() if value is not ...}
    signing_input = b".".join(_encoded(json.dumps(part).encode()) for part in (head, forge.claims))
    private = forge.private.private_key
    assert isinstance(private, Ed25519PrivateKey)
    signature = private.sign(signing_input)
    return (signing_input + b"." + _encoded(signature)).decode()


def _encoded(raw: bytes) -> bytes:
    return base64.urlsafe_b64encode(raw).rstrip(b"=")


def test_a_token_without_signature_is_refused(forge: Forge) -> None:
    head, body, _ = forge.good.split(".")
    for algorithm in ("none", "None", "NONE", ""):
        none = _encoded(json.dumps({**forge.header, "alg": algorithm}).encode()).decode()

        assert forge.status(f"{none}.{body}.") == REFUSED
        assert forge.status(f"{none}.{body}.{forge.good.split('.')[2]}") == REFUSED
    assert forge.status(f"{head}.{body}.") == REFUSED


def test_no_route_of_v1_takes_a_token_that_is_not_ours(forge: Forge) -> None:
    """Forged, expired, of a foreign issuer, for another audience, without a signature: on every route."""
    head, body, signature = forge.good.split(".")
    none = _encoded(json.dumps({**forge.header, "alg": "none"}).encode()).decode()
    tokens = {
        "forged": forge.sign({}, key=OKPKey.generate_key("Ed25519")),
        "changed": f"{head}.{forge.sign({'merchant_id': 'mer_lab'}).split('.')[1]}.{signature}",
        "expired": forge.sign({"exp": int(utc_now().timestamp()) - 30}),
        "foreign": forge.sign({"iss": "https://elsewhere.example"}),
        "for others": forge.sign({"aud": "https://elsewhere.example/v1"}),
        "unsigned": f"{none}.{body}.",
    }
    routes = [(rule, method) for rule in v1_rules(forge.world) for method in methods(rule)]

    assert len(routes) > 10
    for rule, method in routes:
        url = "/".join("x_1" if part.startswith("<") else part for part in rule.rule.split("/"))
        for kind, token in tokens.items():
            headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": "k"}
            answer = forge.world.client.open(url, method=method, headers=headers)

            assert refusal(answer) == REFUSED, f"{kind}: {method} {rule.rule}"


def test_a_public_key_is_no_shared_secret(forge: Forge) -> None:
    """The old confusion: HS256 with the published key as the secret."""
    secret = OctKey.import_key(forge.jwk["x"] + "=" * 16)
    header = {**forge.header, "alg": "HS256"}
    token = jwt.encode(header, forge.claims, secret, registry=JWSRegistry(algorithms=["HS256"]))

    assert forge.status(token) == REFUSED


def test_another_signature_or_another_body_is_refused(forge: Forge) -> None:
    head, body, signature = forge.good.split(".")
    other = forge.sign({"merchant_id": "mer_lab"})

    assert forge.status(forge.sign({}, key=OKPKey.generate_key("Ed25519"))) == REFUSED
    assert forge.status(f"{head}.{other.split('.')[1]}.{signature}") == REFUSED
    assert forge.status(f"{head}.{body}.{'A' * len(signature)}") == REFUSED


@pytest.mark.parametrize(
    "token",
    ["a", "a.b", "a.b.c", "....", "é.é.é", "e30.e30.", "bnVsbA.e30.aa", "W10.e30.aa", "a b", "=" * 9000],
)
def test_what_is_no_token_is_refused(forge: Forge, token: str) -> None:
    assert forge.status(token) == REFUSED


def test_tokens_of_a_disabled_client_are_refused(world: World) -> None:
    shop = open_shop(world)
    with world.app.app_context():
        disable_api_client(shop.credentials.client_id)

    assert refusal(show(world, shop.bearer)) == REFUSED


def test_a_client_that_is_disabled_while_it_works_is_refused_within_seconds(world: World) -> None:
    shop = open_shop(world)
    assert show(world, shop.bearer).status_code == 200
    with world.app.app_context():
        disable_api_client(shop.credentials.client_id)
    world.clock.advance(REMEMBERED_S)

    assert refusal(show(world, shop.bearer)) == REFUSED


def test_a_token_of_a_client_that_has_another_merchant_now_is_refused(world: World) -> None:
    shop = open_shop(world)

    def give_away(session: Session) -> None:
        client = session.scalar(select(ApiClient).where(ApiClient.client_id == shop.credentials.client_id))
        lab = session.scalar(select(Merchant.id).where(Merchant.public_id == "mer_lab"))
        assert client is not None
        assert lab is not None
        client.merchant_id = lab

    world.change(give_away)

    assert refusal(show(world, shop.bearer)) == REFUSED


def test_a_token_of_another_installation_is_refused(world: World) -> None:
    shop = open_shop(world)
    tokens = world.dependencies.tokens
    elsewhere = replace(world.dependencies, tokens=type(tokens)(tokens.ring, "https://elsewhere.example"))
    world.app.extensions["payment-service"] = elsewhere
    foreign = bearer(world, shop.credentials)
    assert show(world, foreign).status_code == 200

    world.app.extensions["payment-service"] = replace(elsewhere, tokens=tokens)

    assert refusal(show(world, foreign)) == REFUSED
    assert show(world, shop.bearer).status_code == 200


def test_the_lab_surface_needs_no_token_and_ignores_one(world: World) -> None:
    shop = open_shop(world)
    payment_id = world.create()

    answers = [
        world.client.get(f"/payments/{payment_id}", headers=headers)
        for headers in ({}, shop.bearer, {"Authorization": "Bearer abc"})
    ]

    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert world.payment(payment_id).merchant_id == world.all(Merchant, public_id="mer_lab")[0].id


def test_a_token_of_a_narrowed_scope_opens_no_more(world: World) -> None:
    credentials = new_client(world, "mer_lab")

    narrowed = ask_token(world, credentials, scope="refunds:write").json["access_token"]

    assert refusal(show(world, {"Authorization": f"Bearer {narrowed}"})) == (403, "scope_missing")


def test_the_signing_key_is_read_once_and_not_for_every_token(world: World) -> None:
    shop = open_shop(world)
    show(world, shop.bearer)
    statements: list[str] = []

    def note(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        statements.append(statement)

    with world.app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        show(world, shop.bearer)
    finally:
        event.remove(engine, "before_cursor_execute", note)

    assert [statement for statement in statements if "signing_keys" in statement] == []
    assert len([statement for statement in statements if statement.startswith("SELECT")]) == 1
