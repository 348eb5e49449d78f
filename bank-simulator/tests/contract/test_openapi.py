"""The published description says what the service does."""

from dataclasses import replace
from typing import Any

import jsonschema
import pytest
from bank_simulator.app import create_app
from bank_simulator.config import Config
from bank_simulator.schemas import admin as admin_schemas
from bank_simulator.schemas import network as network_schemas
from bank_simulator.values.issued_cards import LAB_CARD
from flask import Flask

from tests.testkit.bank import Answer, BankClient

# Health checks and the pages of the description itself are not part of the contract.
UNDESCRIBED = {
    "/health/live",
    "/health/ready",
    "/openapi.json",
    "/docs",
    "/docs/<path:name>",
    "/static/<path:filename>",
    "/acs/<acs_token>",  # pages for browsers
}


@pytest.fixture
def app() -> Flask:
    return create_app(replace(Config.from_env(), database_url="sqlite://"))


@pytest.fixture
def description(app: Flask) -> Answer:
    document: Answer = app.test_client().get("/openapi.json").get_json()
    return document


def schema_of(description: Answer, schema: Answer) -> Answer:
    """Return a schema that can be used outside of the document."""
    return {**schema, "components": description["components"]}


def operations(description: Answer) -> dict[str, Answer]:
    return {
        f"{method.upper()} {path}": operation
        for path, methods in description["paths"].items()
        for method, operation in methods.items()
        if method in {"get", "post", "delete"}
    }


def test_every_route_is_described(app: Flask, description: Answer) -> None:
    routes = {
        f"{method} {rule.rule.replace('<request_id:', '{').replace('>', '}')}"
        for rule in app.url_map.iter_rules()
        if rule.rule not in UNDESCRIBED
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }

    assert set(operations(description)) == routes
    assert len(routes) == 16
    assert description["openapi"].startswith("3.1")


def test_every_operation_needs_the_token_and_says_what_it_does(description: Answer) -> None:
    assert description["components"]["securitySchemes"]["token"]["scheme"] == "bearer"
    assert description["security"] == [{"token": []}]
    assert all(operation["summary"] for operation in operations(description).values())


def test_every_schema_is_valid_json_schema(description: Answer) -> None:
    for schema in description["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)


def example(description: Answer, schema: Answer) -> Any:
    """Build a document from the examples in the description."""
    if "$ref" in schema:
        return example(description, description["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]])
    if "properties" in schema:
        return {name: example(description, member) for name, member in schema["properties"].items()}
    if "example" in schema:
        return schema["example"]
    return schema.get("default", True)


@pytest.mark.parametrize(
    ("path", "schema"),
    [
        ("/network/sales", network_schemas.SaleSchema),
        ("/network/authorizations", network_schemas.AuthorizationSchema),
        ("/network/captures", network_schemas.CaptureSchema),
        ("/network/voids", network_schemas.VoidSchema),
        ("/network/refunds", network_schemas.RefundSchema),
        ("/admin/faults", admin_schemas.FaultPlanSchema),
    ],
)
def test_the_examples_of_a_request_are_valid_and_accepted(
    description: Answer, path: str, schema: Any
) -> None:
    body = description["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"]
    built = example(description, body)

    jsonschema.validate(built, schema_of(description, body))
    assert schema().load(built)


@pytest.mark.parametrize("path", ["sales", "authorizations"])
@pytest.mark.parametrize("number", [LAB_CARD, "4000100000000042"])
def test_real_answers_match_the_description(
    bank: BankClient, description: Answer, path: str, number: str
) -> None:
    operation = description["paths"][f"/network/{path}"]["post"]
    schema = operation["responses"]["200"]["content"]["application/json"]["schema"]

    jsonschema.validate(
        bank.post(f"/network/{path}", bank.payment(number, 100)), schema_of(description, schema)
    )


def test_tombstones_lists_totals_and_problems_match_the_description(
    bank: BankClient, description: Answer
) -> None:
    bank.sell(LAB_CARD, 100)
    reused = bank.payment(LAB_CARD, 100)
    bank.post("/network/sales", reused)
    reused["amount_minor"] += 1
    answers = [
        ("/network/requests/{request_id}/abandon", "post", "200", bank.abandon(f"t_{bank.merchant_id}")),
        ("/network/sales", "post", "409", bank.request("POST", "/network/sales", json=reused).json()),
        ("/network/sales", "post", "400", bank.request("POST", "/network/sales", json={}).json()),
        ("/network/requests/{request_id}", "get", "404", bank.status("never_seen").json()),
        ("/admin/totals", "get", "200", bank.request("GET", "/admin/totals").json()),
        ("/admin/faults", "get", "200", bank.request("GET", "/admin/faults").json()),
        (
            "/admin/requests",
            "get",
            "200",
            bank.request("GET", f"/admin/requests?merchant_id={bank.merchant_id}").json(),
        ),
    ]

    for path, method, status, answer in answers:
        content = description["paths"][path][method]["responses"][status]["content"]
        jsonschema.validate(answer, schema_of(description, next(iter(content.values()))["schema"]))
