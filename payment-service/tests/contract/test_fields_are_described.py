"""Whoever reads the description of /v1 learns of every field what it is and how it looks."""

from collections.abc import Iterator, Mapping
from typing import Any

import jsonschema
import pytest
from service_kit.web import strict_json

from tests.testkit.payments.world import World

pytestmark = pytest.mark.engines("sqlite")
_REFERENCE = "#/components/schemas/"
_METHODS = {"get", "post", "put", "patch", "delete"}
_PREFIXES = ("/v1/", "/oauth2/")


@pytest.fixture
def description(world: World) -> dict[str, Any]:
    document: dict[str, Any] = world.client.get("/openapi.json").json
    return document


def test_every_field_is_described(description: dict[str, Any]) -> None:
    fields = dict(fields_of(description))

    assert len(fields) > 200
    assert {"PaymentCreate.line_items", "Payment.amount", "GET /v1/payments?status"} <= set(fields)
    assert [name for name, field in fields.items() if not field.get("description")] == []


def test_every_field_has_an_example(description: dict[str, Any]) -> None:
    lacking = [name for name, field in fields_of(description) if not _has_example(field)]

    assert lacking == []


def test_every_example_is_valid(description: dict[str, Any]) -> None:
    wrong = {
        name: error.message
        for name, field in fields_of(description)
        if "example" in field
        for schema in [field.get("schema", field)]
        for error in _validator(description, schema).iter_errors(field["example"])
    }

    assert wrong == {}


def test_a_description_is_a_sentence(description: dict[str, Any]) -> None:
    texts = {name: field["description"] for name, field in fields_of(description)}

    assert [name for name, text in texts.items() if not text.endswith(".")] == []


def fields_of(description: dict[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield every parameter of /v1 and every member of its bodies; an example stands beside a description."""
    names: set[str] = set()
    for path, item in description["paths"].items():
        if not path.startswith(_PREFIXES):
            continue
        for method in _METHODS & set(item):
            operation = item[method]
            names |= _schemas_in(operation, description)
            for parameter in [*item.get("parameters", ()), *operation.get("parameters", ())]:
                mark = "?" if parameter["in"] == "query" else f" {parameter['in']} "
                schema = parameter["schema"]
                example = {"example": schema["example"]} if "example" in schema else {}
                yield f"{method.upper()} {path}{mark}{parameter['name']}", {**example, **parameter}
            # A form stands in its operation itself.
            for content in operation.get("requestBody", {}).get("content", {}).values():
                for member, field in content["schema"].get("properties", {}).items():
                    yield f"{method.upper()} {path} {member}", field
    for name in sorted(names):
        for member, field in description["components"]["schemas"][name]["properties"].items():
            yield f"{name}.{member}", field


def _schemas_in(part: Any, description: dict[str, Any]) -> set[str]:
    """Return the names of the schemas that are reached from a part of the description."""
    found: set[str] = set()
    waiting = [part]
    while waiting:
        value = waiting.pop()
        if isinstance(value, Mapping):
            waiting += value.values()
            reference = str(value.get("$ref", ""))
            name = reference.removeprefix(_REFERENCE)
            if reference.startswith(_REFERENCE) and name not in found:
                found.add(name)
                waiting.append(description["components"]["schemas"][name])
        elif isinstance(value, list):
            waiting += value
    return found


def _has_example(field: Mapping[str, Any]) -> bool:
    """Whether it has one; of what is made of other schemas, their members have."""
    return "example" in field or _REFERENCE in strict_json.dumps(field)


def _validator(description: dict[str, Any], schema: Mapping[str, Any]) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(
        {**schema, "components": description["components"]},
        format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER,
    )
