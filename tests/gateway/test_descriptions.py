"""What payment-service describes, the gateway lets through, and nothing else: the rest vanishes silently."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from gateway.render import render
from gateway.routes import INPUT_HEADERS
from gateway.settings import Settings
from payment_service.app import MAY_CALL_A_PROVIDER, create_app

from tests.testkit.gateway.backend import RecordingBackend
from tests.testkit.gateway.process import RunningGateway
from tests.testkit.payments.config import make_config

METHODS = ("get", "post", "put", "patch", "delete")
# What merchants and other gateways call under the service's own paths.
OUTSIDE = ("/v1/", "/oauth2/", "/.well-known/", "/checkout/", "/provider-webhooks/")


@dataclass(frozen=True)
class Operation:
    """One operation of the description: where it is, and which headers it reads."""

    method: str
    path: str
    headers: frozenset[str]


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    return create_app(make_config(f"sqlite:///{tmp_path_factory.mktemp('described')}/payments.db"))


@pytest.fixture(scope="module")
def operations(app: Flask) -> list[Operation]:
    description = app.test_client().get("/openapi.json").json
    assert description is not None
    return list(_operations(description))


def _operations(description: Mapping[str, Any]) -> Iterator[Operation]:
    for path, item in description["paths"].items():
        for method in METHODS:
            if method in item:
                parameters = [
                    _resolved(description, parameter)
                    for parameter in (*item.get("parameters", ()), *item[method].get("parameters", ()))
                ]
                headers = {p["name"].lower() for p in parameters if p["in"] == "header"}
                headers |= _credentials(description, item[method].get("security", ()))
                yield Operation(method.upper(), path, frozenset(headers))


def _credentials(description: Mapping[str, Any], security: Iterable[Mapping[str, Any]]) -> set[str]:
    """Return the headers in which callers show who they are."""
    schemes = description["components"]["securitySchemes"]
    return {schemes[name].get("name", "Authorization").lower() for one in security for name in one}


def _resolved(description: Mapping[str, Any], parameter: Mapping[str, Any]) -> Mapping[str, Any]:
    name = str(parameter.get("$ref", "")).removeprefix("#/components/parameters/")
    found: Mapping[str, Any] = description["components"]["parameters"][name] if name else parameter
    return found


def endpoints() -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Yield method, path at the service, and endpoint, for everything that leads to payment-service."""
    settings = Settings()
    for endpoint in render(settings)["endpoints"]:
        (backend,) = endpoint["backend"]
        if backend["host"] == [settings.payment_service]:
            yield endpoint["method"], _shape(backend["url_pattern"]), endpoint


def _shape(path: str) -> str:
    """Return the path with every parameter written alike, as each side has names of its own."""
    return "/".join("{}" if part.startswith("{") else part for part in path.split("/"))


def lost(operation: Operation, endpoint: Mapping[str, Any]) -> set[str]:
    """Return what the service reads and the gateway drops."""
    return {*operation.headers} - {header.lower() for header in endpoint["input_headers"]}


def unread(operation: Operation, endpoint: Mapping[str, Any]) -> set[str]:
    """Return what the gateway lets through on this route and the service does not say that it reads."""
    own = {h.lower() for h in endpoint["input_headers"]} - {h.lower() for h in INPUT_HEADERS}
    return own - operation.headers


def compared(operations: list[Operation]) -> Iterator[tuple[Operation, Mapping[str, Any]]]:
    described = {(operation.method, _shape(operation.path)): operation for operation in operations}
    for method, path, endpoint in endpoints():
        if (method, path) in described:
            yield described[method, path], endpoint


def test_every_header_that_is_described_passes_the_gateway(operations: list[Operation]) -> None:
    dropped = {f"{o.method} {o.path}": lost(o, endpoint) for o, endpoint in compared(operations)}

    assert set(dropped) >= {"GET /v1/merchant", "POST /oauth2/token"}
    assert {route: names for route, names in dropped.items() if names} == {}


def test_every_header_that_passes_the_gateway_is_described(operations: list[Operation]) -> None:
    surplus = {f"{o.method} {o.path}": unread(o, endpoint) for o, endpoint in compared(operations)}

    assert {route: names for route, names in surplus.items() if names} == {}


def test_every_route_of_the_gateway_is_served(operations: list[Operation]) -> None:
    described = {(operation.method, _shape(operation.path)) for operation in operations}
    unserved = {(method, path) for method, path, _ in endpoints()} - described

    assert unserved == set()


def test_everything_for_merchants_and_payers_has_a_route(operations: list[Operation]) -> None:
    routed = {(method, path) for method, path, _ in endpoints()}
    outside = {(o.method, _shape(o.path)) for o in operations if o.path.startswith(OUTSIDE)}

    assert outside
    assert outside - routed == set()


def test_the_gateway_waits_as_long_as_the_service_may_for_a_provider(app: Flask) -> None:
    rules = {
        (method, _shape(rule.rule.replace("<", "{"))): rule.endpoint
        for rule in app.url_map.iter_rules()
        for method in rule.methods or ()
    }
    served = {(method, path): endpoint for method, path, endpoint in endpoints() if (method, path) in rules}
    patience = Settings().provider_timeout
    patient = {route for route, endpoint in served.items() if endpoint["timeout"] == patience}

    assert patient == {route for route in served if rules[route] in MAY_CALL_A_PROVIDER}


def test_the_comparison_sees_what_would_vanish_and_what_nobody_reads() -> None:
    operation = Operation("GET", "/v1/payments", frozenset({"idempotency-key"}))
    endpoint = {"input_headers": ["Accept", "Webhook-Id"]}

    assert lost(operation, endpoint) == {"idempotency-key"}
    assert unread(operation, endpoint) == {"webhook-id"}


def test_a_token_reaches_v1_and_not_the_lab(
    gateway: RunningGateway, payment_service: RecordingBackend
) -> None:
    for path in ("/v1/merchant", "/payments-api/payments/7"):
        gateway.request("GET", path, None, {"Authorization": "Bearer abc"})

    to_v1, to_lab = payment_service.requests
    assert to_v1.header("Authorization") == "Bearer abc"
    assert to_lab.header("Authorization") is None
