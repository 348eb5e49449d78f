"""The published schemas of events: one for each type of the code, and they refuse what is none.

That every event which the suites produce fits its schema is checked after each test, in conftest.py.
"""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import payment_service
import pytest
from jsonschema import Draft202012Validator
from payment_service.domain.told_events import OUTCOME_KINDS
from payment_service.schemas.v1.events import WHAT

from tests.testkit.payments.event_schemas import COMMON, schemas, wrong_with

TYPE = re.compile(r"(payment|capture|void|refund|dispute|attempt|movement)\.[a-z_]+")
RECORDERS = {"record", "_record", "record_event", "next_event"}
GOOD: dict[str, Any] = {
    "id": "evt_1_2",
    "type": "payment.processing",
    "version": 1,
    "payment": "pay_1",
    "sequence": 2,
    "at": "2026-11-21T09:05:00.000123Z",
    "actor": "api_client:cli_1",
    "data": {"attempt": "att_1", "card_last4": "4242"},
}


def recorded_types() -> Iterator[str]:
    """Find every type that the code records by its name."""
    (source,) = payment_service.__path__
    for path in Path(source).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and _name(node.func) in RECORDERS:
                for argument in node.args:
                    if isinstance(argument, ast.Constant) and TYPE.fullmatch(str(argument.value)):
                        yield str(argument.value)


def _name(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def test_every_type_in_the_code_is_told_somebody_described_and_put_in_words() -> None:
    found = set(recorded_types())

    assert {"payment.created", "payment.completed", "dispute.opened"} <= found
    assert found <= set(WHAT)
    assert set(schemas()) - COMMON == set(WHAT)
    assert set(OUTCOME_KINDS) < set(WHAT)


def test_every_schema_is_one_and_names_its_own_type() -> None:
    for name, schema in schemas().items():
        Draft202012Validator.check_schema(schema)
        if name in COMMON:
            continue
        assert schema["$id"] == f"urn:caisse:event:{name}"
        assert schema["properties"]["type"] == {"const": name}
        data = schema["properties"]["data"]
        assert set(data.get("required", ())) <= set(data["properties"])
        assert schema["description"]


def test_a_good_event_fits() -> None:
    assert wrong_with(json.dumps(GOOD)) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"id": "pay_1"},
        {"type": "payment.paid"},
        {"type": "event"},
        {"type": "payment.created"},
        {"version": 2},
        {"payment": 3},
        {"sequence": 0},
        {"at": "yesterday"},
        {"actor": "somebody"},
        {"actor": "api_client:"},
        {"data": {"attempt": "att_1"}},
        {"data": {"attempt": "att_1", "card_last4": None}},
        {"data": {"attempt": "att_1", "card_last4": "4242424242424242"}},
        {"data": {"attempt": "att_1", "card_last4": "4242", "cvv": "123"}},
    ],
)
def test_what_is_no_event_is_found(changes: dict[str, Any]) -> None:
    assert wrong_with(json.dumps({**GOOD, **changes})) != []


@pytest.mark.parametrize("name", sorted(set(GOOD) - {"data"}))
def test_a_missing_member_is_found(name: str) -> None:
    assert wrong_with(json.dumps({member: value for member, value in GOOD.items() if member != name})) != []
