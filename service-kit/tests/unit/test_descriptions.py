"""What the descriptions of all services have in common."""

# flask-smorest's decorators carry no types.
# mypy: disable-error-code="untyped-decorator"

import re
from collections.abc import Mapping
from typing import Any

import marshmallow as ma
import pytest
from flask import Flask
from service_kit.web import api
from service_kit.web.api import as_json_schema
from service_kit.web.strict_fields import ONE_LINE, StrictBoolean


class BodySchema(ma.Schema):
    code = ma.fields.String(validate=ma.validate.Regexp(r"[A-Z]{3}\Z"))
    said = ma.fields.String(validate=ma.validate.Regexp(r"x\Z"), metadata={"pattern": "^x$"})
    free = ma.fields.String()


things = api.Blueprint("things", "things")


@things.post("/things/<thing_id>")
@things.doc(security=[{"token": []}])
@things.arguments(BodySchema)
@things.response(200, BodySchema)
@things.problem(409, "Taken")
@things.problem(404, "No such thing")
def put_thing(body: Any, thing_id: str) -> Any:
    """Put a thing."""
    return body


@things.get("/things")
@things.response(200, BodySchema)
def list_things() -> Any:
    """List the things."""
    return {}


@pytest.fixture
def description() -> Mapping[str, Any]:
    app = Flask(__name__)
    api.init_app(app, title="t", version="1", description="d", max_body_bytes=100).register_blueprint(things)
    document: Mapping[str, Any] | None = app.test_client().get("/openapi.json").json
    assert document is not None
    return document


def test_every_operation_describes_what_any_of_its_kind_may_answer(description: Mapping[str, Any]) -> None:
    put = description["paths"]["/things/{thing_id}"]["post"]["responses"]
    listed = description["paths"]["/things"]["get"]["responses"]

    assert sorted(put) == ["200", "400", "401", "404", "409", "413", "415", "503"]
    assert sorted(listed) == ["200", "503"]
    problem = {"schema": {"$ref": "#/components/schemas/Problem"}}
    for status in set(put) - {"200"}:
        assert put[status]["content"] == {"application/problem+json": problem}


def test_a_views_own_words_stay(description: Mapping[str, Any]) -> None:
    put = description["paths"]["/things/{thing_id}"]["post"]["responses"]

    assert put["404"]["description"] == "No such thing"


def test_nothing_is_described_that_nobody_uses(description: Mapping[str, Any]) -> None:
    assert sorted(description["components"]["schemas"]) == ["Body", "Problem"]


def test_a_pattern_is_described_as_json_schema_reads_it(description: Mapping[str, Any]) -> None:
    properties = description["components"]["schemas"]["Body"]["properties"]

    assert properties["code"]["pattern"] == "^[A-Z]{3}$"
    assert properties["said"]["pattern"] == "^x$"
    assert "pattern" not in properties["free"]


@pytest.mark.parametrize(
    ("python", "described"),
    [
        (r"[a-z]\Z", "^[a-z]$"),
        (r"^[a-z](?!\n)$", "^[a-z]$"),
        ("^[a-z]$", "^[a-z]$"),
        ("[a-z]", "^[a-z]"),
        (r"a|b\Z", "^(?:a|b)$"),
    ],
)
def test_the_ends_of_a_pattern_are_translated(python: str, described: str) -> None:
    assert as_json_schema(python) == described
    assert re.search(described, "1a") is None


@pytest.mark.parametrize("value", [1, 0, "true", "false", 1.0, None, []])
def test_only_true_and_false_are_booleans(value: object) -> None:
    with pytest.raises(ma.ValidationError):
        StrictBoolean().deserialize(value)


def test_true_and_false_pass() -> None:
    assert [StrictBoolean().deserialize(value) for value in (True, False)] == [True, False]


@pytest.mark.parametrize("text", ["", "Prix\u00a0: 10\u202f€", "👩‍💻 Zoë", "日本語"])
def test_one_line_is_what_people_write(text: str) -> None:
    assert ONE_LINE(text) == text


@pytest.mark.parametrize("character", ["\n", "\x00", "\x1b", "\x7f", "\x85", "\u2028", "\u202e", "\u2066"])
def test_one_line_is_not_broken_or_turned_around(character: str) -> None:
    for text in (character, f"a{character}b", f"a{character}"):
        with pytest.raises(ma.ValidationError):
            ONE_LINE(text)
