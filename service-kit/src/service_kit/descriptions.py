"""What the descriptions of all services have in common: problems of every operation, exact patterns."""

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

import marshmallow as ma
from apispec import APISpec, BasePlugin
from flask_smorest.utils import deepupdate

from service_kit.problems import CONTENT_TYPE

_METHODS = frozenset({"get", "post", "put", "patch", "delete"})
_DESCRIPTIONS: Mapping[int, str] = {
    HTTPStatus.BAD_REQUEST: "The input is not valid; `errors` says which field",
    HTTPStatus.UNAUTHORIZED: "The caller did not show who it is",
    HTTPStatus.NOT_FOUND: "There is nothing at this address",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "The body is too large",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "The body does not say that it is JSON",
    HTTPStatus.SERVICE_UNAVAILABLE: "Not now: the database is away; `Retry-After` says when to try again",
}


class CommonProblems(BasePlugin):
    """Describes what any operation of its kind may answer, unless its view says it in words of its own."""

    def init_spec(self, spec: APISpec) -> None:
        """Remember the specification, whose options may ask every caller for credentials."""
        self._spec = spec

    def operation_helper(
        self, path: str | None = None, operations: dict[str, Any] | None = None, **_kwargs: Any
    ) -> None:
        """Complete the responses of every operation of a path."""
        for method, operation in (operations or {}).items():
            if method in _METHODS:
                responses = operation.setdefault("responses", {})
                described = [
                    {str(status.value): problem_response(_DESCRIPTIONS[status])}
                    for status in self._statuses(path or "", operation)
                ]
                # A name alone is flask-smorest's own answer to bad input, which is no problem document.
                described += [{str(s): given} for s, given in responses.items() if not isinstance(given, str)]
                responses.clear()
                for one in described:
                    deepupdate(responses, one)

    def _statuses(self, path: str, operation: Mapping[str, Any]) -> Iterator[HTTPStatus]:
        body = operation.get("requestBody", {}).get("content", {})
        if body or operation.get("parameters"):
            yield HTTPStatus.BAD_REQUEST
        if operation.get("security", self._spec.options.get("security")):
            yield HTTPStatus.UNAUTHORIZED
        if "{" in path:
            yield HTTPStatus.NOT_FOUND
        if body:
            yield HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        if "application/json" in body:
            yield HTTPStatus.UNSUPPORTED_MEDIA_TYPE
        yield HTTPStatus.SERVICE_UNAVAILABLE


def problem_response(description: str) -> dict[str, Any]:
    """Return the description of an answer that is a problem document."""
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": description, "content": {CONTENT_TYPE: {"schema": schema}}}


def whole_pattern(_converter: Any, field: ma.fields.Field[Any], **_kwargs: Any) -> dict[str, str]:
    r"""Describe a field's regular expression as JSON Schema reads it, which looks for it anywhere.

    Python's `match` begins at the start, and its `\Z` is JSON Schema's `$`.
    """
    if "pattern" in field.metadata:
        return {}
    for validator in field.validators:
        if isinstance(validator, ma.validate.Regexp):
            return {"pattern": as_json_schema(str(validator.regex.pattern))}
    return {}


def as_json_schema(pattern: str) -> str:
    """Return the pattern that finds, anywhere in a text, what Python's `match` accepts."""
    inner = pattern.removeprefix("^")
    for python_end in (r"\Z", r"(?!\n)$", "$"):
        if inner.endswith(python_end):
            inner, end = inner.removesuffix(python_end), "$"
            break
    else:
        end = ""
    return f"^(?:{inner}){end}" if "|" in inner else f"^{inner}{end}"
