"""What payment-service describes, the gateway lets through: what it does not list vanishes silently."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from gateway.render import render
from gateway.settings import Settings
from gateway.testing.backend import RecordingBackend
from gateway.testing.process import RunningGateway
from payment_service.app import create_app
from payment_service.testing import make_config

METHODS = ("get", "post", "put", "patch", "delete")
# What merchants and other gateways call under the service's own paths.
OUTSIDE = ("/v1/", "/oauth2/", "/.well-known/")


@dataclass(frozen=True)
class Operation:
    """One operation of the description: where it is, and what it reads."""

    method: str
    path: str
    headers: frozenset[str]
    queries: frozenset[str]


@pytest.fixture(scope="module")
def operations(tmp_path_factory: pytest.TempPathFactory) -> list[Operation]:
    app = create_app(make_config(f"sqlite:///{tmp_path_factory.mktemp('described')}/payments.db"))
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
                if item[method].get("security"):
                    headers.add("authorization")
                queries = {p["name"] for p in parameters if p["in"] == "query"}
                yield Operation(method.upper(), path, frozenset(headers), frozenset(queries))


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
    passing = {header.lower() for header in endpoint["input_headers"]}
    return {
        *(operation.headers - passing),
        *operation.queries.difference(endpoint.get("input_query_strings", ())),
    }


def test_every_header_and_query_parameter_that_is_described_passes_the_gateway(
    operations: list[Operation],
) -> None:
    described = {(operation.method, _shape(operation.path)): operation for operation in operations}
    compared = [(described[method, path], endpoint) for method, path, endpoint in endpoints()]

    assert {operation.path for operation, _ in compared} >= {"/v1/merchant", "/oauth2/token"}
    for operation, endpoint in compared:
        assert lost(operation, endpoint) == set(), f"{operation.method} {operation.path}"


def test_everything_for_merchants_has_a_route(operations: list[Operation]) -> None:
    routed = {(method, path) for method, path, _ in endpoints()}
    outside = {(o.method, _shape(o.path)) for o in operations if o.path.startswith(OUTSIDE)}

    assert outside
    assert outside <= routed


def test_authorization_passes_only_where_it_is_read(operations: list[Operation]) -> None:
    reading = {(o.method, _shape(o.path)) for o in operations if "authorization" in o.headers}
    passing = {(m, p) for m, p, endpoint in endpoints() if "Authorization" in endpoint["input_headers"]}

    assert passing == reading


def test_the_comparison_sees_what_would_vanish() -> None:
    operation = Operation(
        "GET", "/v1/payments", frozenset({"idempotency-key"}), frozenset({"limit", "status"})
    )
    endpoint = {"input_headers": ["Accept"], "input_query_strings": ["limit"]}

    assert lost(operation, endpoint) == {"idempotency-key", "status"}


def test_a_token_reaches_v1_and_not_the_lab(
    gateway: RunningGateway, payment_service: RecordingBackend
) -> None:
    for path in ("/v1/merchant", "/payments-api/payments/7"):
        gateway.request("GET", path, None, {"Authorization": "Bearer abc"})

    to_v1, to_lab = payment_service.requests
    assert to_v1.header("Authorization") == "Bearer abc"
    assert to_lab.header("Authorization") is None
