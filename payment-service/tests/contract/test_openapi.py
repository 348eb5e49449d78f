"""The description says what the service does: every route, and answers that fit their schemas."""

from collections.abc import Iterator, Mapping
from typing import Any

import jsonschema
import pytest
from payment_service.commands.access.rotate_signing_keys import rotate_signing_keys
from payment_service.values.scopes import Scope, SigningAlgorithm

from tests.testkit.payments.access import ask_token, bearer, open_shop
from tests.testkit.payments.cards import CARD
from tests.testkit.payments.scripted.sales import decline, lose_request, refuse_connection
from tests.testkit.payments.world import World

pytestmark = pytest.mark.engines("sqlite")

UNDESCRIBED = {"static", "docs_page", "docs_asset", "live", "ready", "api-docs.openapi_json"}


@pytest.fixture
def description(world: World) -> Mapping[str, Any]:
    response = world.client.get("/openapi.json")
    assert response.status_code == 200
    document: Mapping[str, Any] = response.json
    return document


def operations(description: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    for path, item in description["paths"].items():
        for method, operation in item.items():
            if method in {"get", "post", "put", "patch", "delete"}:
                yield method.upper(), path, operation


def resolved(description: Mapping[str, Any], response: Mapping[str, Any]) -> Mapping[str, Any]:
    name = str(response.get("$ref", "")).removeprefix("#/components/responses/")
    found: Mapping[str, Any] = description["components"]["responses"][name] if name else response
    return found


def validator(description: Mapping[str, Any], schema: Mapping[str, Any]) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator({**schema, "components": description["components"]})


def test_every_route_is_described_with_words(world: World, description: Mapping[str, Any]) -> None:
    assert description["openapi"] == "3.1.0"
    routes = {
        (method, rule.rule.replace("<", "{").replace(">", "}"))
        for rule in world.app.url_map.iter_rules()
        if rule.endpoint not in UNDESCRIBED
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }

    assert {(method, path) for method, path, _ in operations(description)} == routes
    assert ("POST", "/payments/process/{payment_id}") in routes
    for _, path, operation in operations(description):
        assert operation["summary"], path
        for status, response in operation["responses"].items():
            assert resolved(description, response)["description"], (path, status)


def test_requests_of_the_lab_fit_their_schemas(description: Mapping[str, Any]) -> None:
    def schema_of(path: str) -> Mapping[str, Any]:
        body = description["paths"][path]["post"]["requestBody"]
        schema: Mapping[str, Any] = body["content"]["application/json"]["schema"]
        return schema

    create = validator(description, schema_of("/payments"))
    process = validator(description, schema_of("/payments/process/{payment_id}"))

    create.validate({"user_id": 1, "order_id": 1, "total_amount": 3999.98})
    process.validate(dict(CARD))
    process.validate({"cardNumber": "4242424242424242", "cardCode": "123", "expirationDate": "2030-01"})
    assert not create.is_valid({"user_id": 1, "order_id": 1})
    assert not create.is_valid({"user_id": 1, "order_id": 1, "total_amount": -5})
    assert not process.is_valid({"cardNumber": True, "cardCode": 123, "expirationDate": "2030-01"})


def test_every_answer_of_the_table_is_described_and_fits_its_schema(
    world: World, description: Mapping[str, Any]
) -> None:
    def check(path: str, method: str, response: Any) -> None:
        responses = description["paths"][path][method]["responses"]
        described = resolved(description, responses[str(response.status_code)])
        content_type = response.content_type.partition(";")[0]
        content = described["content"].get(content_type) or described["content"]["application/json"]
        document = world.app.json.loads(response.text)
        validator(description, content["schema"]).validate(_plain(document))

    process = "/payments/process/{payment_id}"
    created = world.client.post("/payments", json={"user_id": 1, "order_id": 1, "total_amount": 59.5})
    check("/payments", "post", created)
    check("/payments/{payment_id}", "get", world.client.get("/payments/1"))
    check("/payments/{payment_id}", "get", world.client.get("/payments/0"))
    check("/", "get", world.client.get("/"))
    statuses = []
    for behaviour in (None, decline("lost_card"), refuse_connection, lose_request):
        payment_id = world.create()
        if behaviour is not None:
            world.bank.script = [behaviour]
        response = world.pay(payment_id)
        check(process, "post", response)
        statuses.append(response.status_code)
    check(process, "post", world.pay(payment_id))
    check(process, "post", world.pay(0))
    world.fraud.script = [None]
    silent = world.pay(world.create())
    check(process, "post", silent)
    assert [*statuses, silent.status_code] == [200, 402, 502, 202, 202]


def test_answers_for_merchants_are_described_and_fit_their_schemas(
    world: World, description: Mapping[str, Any]
) -> None:
    def check(path: str, method: str, response: Any) -> int:
        responses = description["paths"][path][method]["responses"]
        described = resolved(description, responses[str(response.status_code)])
        schema = described["content"][response.content_type.partition(";")[0]]["schema"]
        validator(description, schema).validate(response.json)
        return int(response.status_code)

    shop = open_shop(world)
    jwks, merchant = "/.well-known/jwks.json", "/v1/merchant"
    with world.app.app_context():
        rotate_signing_keys(SigningAlgorithm.RS256, world.dependencies)
    narrow = bearer(world, shop.credentials, scope="refunds:write")
    assert [
        check("/oauth2/token", "post", ask_token(world, shop.credentials)),
        check("/oauth2/token", "post", ask_token(world, shop.credentials, scope="x")),
        check("/oauth2/token", "post", world.client.post("/oauth2/token", data={"grant_type": "x"})),
        check(jwks, "get", world.client.get(jwks)),
        check(merchant, "get", world.client.get(merchant, headers=shop.bearer)),
        check(merchant, "get", world.client.get(merchant)),
        check(merchant, "get", world.client.get(merchant, headers=narrow)),
    ] == [200, 400, 401, 200, 200, 401, 403]


def test_the_description_says_how_callers_show_who_they_are(description: Mapping[str, Any]) -> None:
    schemes = description["components"]["securitySchemes"]
    flow = schemes["access_token"]["flows"]["clientCredentials"]

    assert flow["tokenUrl"] == "/oauth2/token"
    assert set(flow["scopes"]) == set(Scope)
    assert schemes["client"] == {"type": "http", "scheme": "basic"}
    form = description["paths"]["/oauth2/token"]["post"]["requestBody"]["content"]
    assert set(form) == {"application/x-www-form-urlencoded"}


def _plain(value: Any) -> Any:
    """Decimals as floats, which is what a client without exact numbers would see."""
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return float(value) if hasattr(value, "as_tuple") else value


def test_the_docs_page_needs_no_network(world: World) -> None:
    page = world.client.get("/docs")

    assert page.status_code == 200
    assert "http://" not in page.text
    assert "https://" not in page.text
    assert 'src="/' not in page.text  # behind a gateway the page has another address
    assert 'href="/' not in page.text
    for asset in ("swagger-ui.css", "swagger-ui-bundle.js"):
        assert asset in page.text
        with world.app.test_client().get(f"/docs/{asset}") as response:
            assert response.status_code == 200
