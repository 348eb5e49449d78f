"""Problem documents (RFC 9457): the one shape of every error answer.

A service hands over a table from its domain errors to :class:`Problem`; nothing else knows status codes.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import structlog
from flask import Flask, Response, request
from marshmallow import ValidationError
from marshmallow.exceptions import SCHEMA
from werkzeug.exceptions import HTTPException

from service_kit.db.database import CommitOutcomeUnknown, DatabaseUnavailable
from service_kit.process.logs import mask_long_numbers
from service_kit.web import strict_json
from service_kit.web.request_context import current_request_id
from service_kit.web.strict_json import MalformedJson

log = structlog.get_logger(__name__)

CONTENT_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True)
class Problem:
    """What a client is told: ``code`` is for programs, ``detail`` for people.

    ``members`` are further members of the document, ``errors`` maps a field to its messages.
    """

    status: int
    code: str
    detail: str
    errors: Mapping[str, Any] | None = None
    members: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """Return the members of the JSON document; ``error`` repeats the detail for older clients.

        Nothing that the caller named is repeated where it could be a card number.
        """
        detail = mask_long_numbers(self.detail)
        document: dict[str, Any] = {
            "type": f"urn:problem:{self.code}",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": detail,
            "code": self.code,
            "instance": mask_long_numbers(request.path),
            "error": detail,
            "request_id": current_request_id(),
            **self.members,
        }
        if self.errors:
            document["errors"] = self.errors
        return document

    def response(self) -> Response:
        response = Response(strict_json.dumps(self.document()), self.status, content_type=CONTENT_TYPE)
        response.headers["Cache-Control"] = "no-store"
        response.headers.update(self.headers)
        return response


ProblemTable = Mapping[type[Exception], Callable[[Any], Problem]]


def init_app(app: Flask, table: ProblemTable) -> None:
    """Answer every error with a problem document: the service's own by ``table``, the rest by ours."""
    for error, to_problem in {**_COMMON, **table}.items():
        app.register_error_handler(error, _handler(to_problem))
    app.register_error_handler(HTTPException, _from_http_exception)
    app.register_error_handler(Exception, _from_defect)


def field_errors(messages: Any) -> dict[str, list[str]]:
    """Flatten marshmallow's messages to ``{"path.to.field": [text, …]}``."""
    flat: dict[str, list[str]] = {}
    _flatten("", messages, flat)
    return flat


def _flatten(path: str, messages: Any, flat: dict[str, list[str]]) -> None:
    if isinstance(messages, Mapping):
        for key, inner in messages.items():
            # Masked before it is joined: after a dot a long number would look like part of a word.
            shown = mask_long_numbers(str(key))
            name = path if key == SCHEMA else f"{path}.{shown}" if path else shown
            _flatten(name, inner, flat)
    elif isinstance(messages, list):
        flat.setdefault(path or "body", []).extend(str(message) for message in messages)
    else:
        flat.setdefault(path or "body", []).append(str(messages))


def invalid_input(messages: Any) -> Problem:
    if isinstance(messages, Mapping) and set(messages) <= {"json", "query", "path"}:
        # webargs puts the place of the input before the field's name.
        messages = {name: texts for place in messages.values() for name, texts in place.items()}
    errors = field_errors(messages)
    detail = "; ".join(f"{name}: {' '.join(texts)}" for name, texts in errors.items())
    return Problem(
        HTTPStatus.BAD_REQUEST, "invalid_input", detail[:500] or "The input is not valid.", errors=errors
    )


def _handler(to_problem: Callable[[Any], Problem]) -> Callable[[Exception], Response]:
    return lambda error: to_problem(error).response()


def code_of_status(status: int) -> str:
    """Return the code of an error that has none of its own, such as ``method_not_allowed``."""
    return HTTPStatus(status).phrase.lower().replace(" ", "_").replace("-", "_")


def _from_http_exception(error: HTTPException) -> Response:
    status = error.code or HTTPStatus.INTERNAL_SERVER_ERROR
    detail = _DETAILS.get(status) or error.description or HTTPStatus(status).phrase
    headers = {
        name: value for name, value in error.get_headers() if name not in {"Content-Type", "Content-Length"}
    }
    return Problem(status, code_of_status(status), detail, headers=headers).response()


def _from_defect(error: Exception) -> Response:
    log.error("unhandled_error", exc_info=error)
    return Problem(
        HTTPStatus.INTERNAL_SERVER_ERROR, "internal_error", "Something went wrong on our side."
    ).response()


_DETAILS: Mapping[int, str] = {
    HTTPStatus.NOT_FOUND: "There is nothing at this address.",
    HTTPStatus.METHOD_NOT_ALLOWED: "This address does not know this method.",
}


def _database_unavailable(_error: Exception) -> Problem:
    return Problem(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "database_unavailable",
        "Please try again in a moment.",
        headers={"Retry-After": "2"},
    )


_COMMON: ProblemTable = {
    MalformedJson: lambda error: Problem(HTTPStatus.BAD_REQUEST, "malformed_json", str(error)),
    ValidationError: lambda error: invalid_input(error.messages),
    DatabaseUnavailable: _database_unavailable,
    CommitOutcomeUnknown: _database_unavailable,
}
