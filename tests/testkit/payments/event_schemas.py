"""Whether events fit their published schemas, docs/events."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema_rs import Draft202012Validator, Registry

SCHEMAS = Path(__file__).parents[3] / "docs" / "events"
COMMON = frozenset({"event", "members"})


@cache
def schemas() -> Mapping[str, Any]:
    """Return every published schema by the name of its file."""
    return {path.stem: json.loads(path.read_text()) for path in SCHEMAS.glob("*.json")}


def wrong_with(body: str) -> list[str]:
    """Return what is wrong with an event: its shape, or members of its data that nobody has described."""
    event = json.loads(body)
    name = event.get("type", "")
    if name not in schemas() or name in COMMON:
        return [f"{name}: no schema"]
    wrong = [
        f"{name}: {'.'.join(map(str, error.instance_path))}: {error.message}"
        for error in _validator(name).iter_errors(event)
    ]
    described = schemas()[name]["properties"]["data"]["properties"]
    return wrong + [
        f"{name}: data.{member} is not described" for member in set(event["data"]) - set(described)
    ]


@cache
def _validator(name: str) -> Draft202012Validator:
    registry = Registry([(schema["$id"], schema) for schema in schemas().values()])
    return Draft202012Validator(schemas()[name], registry=registry, validate_formats=True)
