"""Values whose text is short and whose meaning is not, put into every place of every described request."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

# Texts of JSON: numbers that expand, numbers without end, what only looks like a number, depth, length.
_DIGITS = 50_000
_NUMBERS = (
    *(
        "1e-100000000",
        "1e100000000",
        "-1e-100000000",
        "0e-100000000",
        "1e-5000000",
        "1e-99999999999999999999",
    ),
    *("9" * _DIGITS, "0." + "3" * _DIGITS, "9" * 101, "1e400", "5e-324", "1e18", "-0"),
)
_NO_NUMBERS = ("NaN", "Infinity", "1_0", "\u0662\u0660", " 5 ", "5\n", "+5", "05")
_LONG = ("\u00e9" * 30_000, "\U0001f4b3" * 15_000)
# There is no such time in UTC.
_TIMES = ("0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-05:00")
_DEEP = ("[" * 5000, '{"a":' * 30 + "1e-100000000" + "}" * 30, '{"a":1e-100000000}', "[1e5000000]")
JSON_TEXTS = (
    *_NUMBERS,
    *_NO_NUMBERS[:2],
    *(json.dumps(text, ensure_ascii=False) for text in (*_NUMBERS, *_NO_NUMBERS, *_TIMES, *_LONG, "")),
    *('"\\u0000"', '"\\ud800"', "true", "null"),
    *_DEEP,
    '"' + "\u00e9" * 150_000 + '"',  # too long for a body, not for a batch
)
# Texts of addresses, headers and forms.
WORDS = (
    *(text for text in (*_NUMBERS, *_NO_NUMBERS, *_TIMES) if len(text) < 5000),
    "9" * 4000,
    "\u00e9" * 4000,
    "\x00",
)
_MARK = "<here>"
FORM = "application/x-www-form-urlencoded"
_METHODS = ("post", "put", "patch", "get", "delete")

Path = tuple[str, ...]


@dataclass(frozen=True)
class Operation:
    """An operation of a description."""

    document: Mapping[str, Any]
    method: str
    path: str

    @property
    def name(self) -> str:
        """What it is called in messages."""
        return f"{self.method.upper()} {self.path}"

    @property
    def body(self) -> Mapping[str, Any] | None:
        """The schema of its JSON body."""
        return self._content("application/json")

    def parameters(self, place: str) -> Mapping[str, Mapping[str, Any]]:
        """The schemas of its parameters in the path, the query, the headers or a form."""
        if place == "form":
            members: Mapping[str, Mapping[str, Any]] = self._resolved(self._content(FORM) or {}).get(
                "properties", {}
            )
            return members
        given = [*self._own.get("parameters", ()), *self.document["paths"][self.path].get("parameters", ())]
        return {each["name"]: each["schema"] for each in given if each["in"] == place}

    def places(self) -> list[Path]:
        """Where in its body a value may stand."""
        return list(self._places(self.body, ())) if self.body else []

    def with_text(self, place: Path | None, text: str = "") -> bytes:
        """Return a body of what is required, and at ``place`` the JSON text."""
        body = json.dumps(self._sample(self.body or {}, place))
        return body.replace(f'"{_MARK}"', text).encode()

    def form_with(self, member: Mapping[str, str]) -> Mapping[str, str]:
        """Return what is required in a form, and the member."""
        return {**self._sample(self._content(FORM) or {}, None), **member}

    def _content(self, kind: str) -> Mapping[str, Any] | None:
        schema: Mapping[str, Any] | None = (
            self._own.get("requestBody", {}).get("content", {}).get(kind, {}).get("schema")
        )
        return schema

    @property
    def _own(self) -> Mapping[str, Any]:
        own: Mapping[str, Any] = self.document["paths"][self.path][self.method]
        return own

    def _resolved(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        for each in schema.get("anyOf", ()):
            if each.get("type") != "null":
                schema = {**schema, **each}
        if "$ref" in schema:
            name = schema["$ref"].rsplit("/", 1)[1]
            return self._resolved(self.document["components"]["schemas"][name])
        return schema

    def _places(self, schema: Mapping[str, Any], path: Path) -> Iterator[Path]:
        schema = self._resolved(schema)
        if path:
            yield path
        for name, member in schema.get("properties", {}).items():
            yield from self._places(member, (*path, name))
        if isinstance(schema.get("additionalProperties"), Mapping):
            yield from self._places(schema["additionalProperties"], (*path, "a key"))
        if "items" in schema:
            yield from self._places(schema["items"], (*path, "an item"))

    def _sample(self, schema: Mapping[str, Any], place: Path | None) -> Any:
        if place == ():
            return _MARK
        schema = self._resolved(schema)
        first, rest = (place[0], place[1:]) if place else (None, None)
        if "properties" in schema:
            members = schema["properties"]
            # Where nothing is required, something often is all the same: this or that.
            wanted = dict.fromkeys(
                [*schema.get("required", ()), *([first] if first else [])] or list(members)[:1]
            )
            return {name: self._sample(members[name], rest if name == first else None) for name in wanted}
        if first == "a key":
            return {"key": self._sample(schema["additionalProperties"], rest)}
        if "items" in schema:
            return [self._sample(schema["items"], rest)]
        return _example(schema)


def operations(document: Mapping[str, Any]) -> list[Operation]:
    """Return every operation: what writes before what reads, and fault plans after what they disturb."""
    found = [
        Operation(document, method, path)
        for path, item in document["paths"].items()
        for method in item
        if method in _METHODS
    ]
    found.sort(key=lambda each: each.path, reverse=True)
    return sorted(found, key=lambda each: _METHODS.index(each.method))


def _example(schema: Mapping[str, Any]) -> Any:
    examples = [schema.get("example"), *schema.get("examples", ()), *schema.get("enum", ())]
    if given := [example for example in examples if example is not None]:
        return given[0]
    if schema.get("format") == "date-time":
        return "2026-11-21T09:05:00+00:00"
    kinds = schema.get("type", "string")
    kind = kinds if isinstance(kinds, str) else kinds[0]
    return {"integer": schema.get("minimum", 1), "boolean": True, "object": {}}.get(kind, "text")
