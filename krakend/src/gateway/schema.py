"""Validate a rendered file against KrakenD's published JSON schema, which lies outside the repository."""

import json
from pathlib import Path
from typing import Any

from jsonschema import Draft201909Validator
from referencing import Registry
from referencing.jsonschema import DRAFT201909


class SchemaNotFound(FileNotFoundError):
    """The folder named by KRAKEND_SCHEMA_DIR does not hold KrakenD's schema."""


def schema_errors(config: dict[str, Any], schema_dir: Path) -> list[str]:
    """One line for each place where the file leaves the schema; `schema_dir` is the folder of one version."""
    entry = schema_dir / "_root.json"
    if not entry.is_file():
        raise SchemaNotFound(f"no {entry.name} in {schema_dir}")
    root = json.loads(entry.read_text())
    validator = Draft201909Validator(root, registry=_registry(schema_dir, root["$id"].rsplit("/", 1)[0]))
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(config)]


def _registry(schema_dir: Path, base: str) -> Registry[Any]:
    """Every file under the address that its `$id` would have, so that nothing is fetched."""
    return Registry().with_resources(
        (
            f"{base}/{path.relative_to(schema_dir).as_posix()}",
            DRAFT201909.create_resource(json.loads(path.read_text())),
        )
        for path in sorted(schema_dir.rglob("*.json"))
    )
