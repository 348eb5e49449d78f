"""HTTP interface of a service: strict JSON in, exact JSON out, OpenAPI 3.1, a docs page without network."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from http import HTTPStatus
from pathlib import Path
from threading import Lock
from typing import Any, ClassVar, NoReturn, TypeVar

import flask_smorest
import flask_swagger_ui
import marshmallow as ma
from apispec import APISpec, BasePlugin
from flask import (
    Flask,
    Request,
    Response,
    current_app,
    render_template_string,
    request,
    send_from_directory,
)
from flask.json.provider import JSONProvider
from flask_smorest.utils import deepupdate
from webargs.flaskparser import FlaskParser, is_json_request
from werkzeug.exceptions import RequestEntityTooLarge, UnsupportedMediaType

from service_kit.web import strict_json
from service_kit.web.problems import CONTENT_TYPE
from service_kit.web.problems import CONTENT_TYPE as PROBLEM_CONTENT_TYPE
from service_kit.web.shown_fields import shown

View = TypeVar("View", bound=Callable[..., Any])

# The attribute of a view that names the parameters of its query.
QUERY_PARAMETERS = "query_parameters"

_SWAGGER_FILES = Path(flask_swagger_ui.__file__).parent / "dist"
_DOCS_PAGE = (Path(__file__).parents[1] / "templates" / "docs.html").read_text()


class StrictJsonProvider(JSONProvider):
    """Flask's JSON by way of :mod:`service_kit.web.strict_json`."""

    def dumps(self, obj: Any, **_kwargs: Any) -> str:
        return strict_json.dumps(obj)

    def loads(self, s: str | bytes, **_kwargs: Any) -> Any:
        return strict_json.loads(s.encode() if isinstance(s, str) else s)


class OptionalBody(ma.Schema):
    """A schema of bodies that may be left out altogether: then they are an empty object."""


class StrictParser(FlaskParser):
    """Reads request bodies as strict JSON and lets validation errors through as marshmallow raised them."""

    DEFAULT_VALIDATION_STATUS = HTTPStatus.BAD_REQUEST

    def _raw_load_json(self, req: Request) -> Any:
        """Read the whole body, which may come in chunks without a length.

        Raises:
            MalformedJson: see :func:`strict_json.loads`; an empty body too.
            UnsupportedMediaType: a body that does not say it is JSON.
        """
        body = req.get_data(cache=True)
        if not is_json_request(req):
            raise UnsupportedMediaType("The body must be JSON, with Content-Type: application/json.")
        return strict_json.loads(body)

    def load_json(self, req: Request, schema: ma.Schema) -> Any:
        """Load the body without webargs' cache and its own error texts."""
        if isinstance(schema, OptionalBody) and not req.get_data(cache=True):
            return {}
        return self._raw_load_json(req)

    def handle_error(
        self, error: ma.ValidationError, req: Request, schema: ma.Schema, **_kwargs: Any
    ) -> NoReturn:
        raise error


def refuse_unknown_parameters(view: Callable[..., Any]) -> None:
    """Refuse a query with parameters that the view does not read, or with one twice.

    A list with a misspelt filter would be the whole list.

    Raises:
        marshmallow.ValidationError: names each, and what there is.
    """
    known: frozenset[str] = getattr(view, QUERY_PARAMETERS, frozenset())
    there_is = f"There is: {', '.join(sorted(known))}." if known else "There is none here."
    errors = {}
    for name, values in request.args.lists():
        if name not in known:
            errors[name] = [f"Unknown parameter. {there_is}"]
        elif len(values) > 1:
            errors[name] = ["Given more than once."]
    if errors:
        raise ma.ValidationError(errors)


class MakingSchema(ma.Schema):
    """A schema whose valid input becomes the value or command that ``makes`` returns for its members."""

    makes: ClassVar[Callable[..., Any]]

    @ma.post_load
    def make(self, data: dict[str, Any], **_kwargs: Any) -> Any:
        return type(self).makes(**data)


class ProblemSchema(ma.Schema):
    """A problem document (RFC 9457), as the descriptions show it; it may carry further members (3.2)."""

    class Meta:
        unknown = ma.INCLUDE

    type = shown(
        ma.fields.String,
        example="urn:problem:invalid_input",
        description="The code as a URI, as the RFC has it.",
    )
    title = shown(ma.fields.String, example="Bad Request", description="The status in words.")
    status = shown(ma.fields.Integer, example=400, description="The HTTP status.")
    detail = shown(
        ma.fields.String,
        example="amount: Must be greater than or equal to 1 and less than or equal to 999999999999.",
        description="What went wrong, for people.",
    )
    code = shown(
        ma.fields.String,
        example="invalid_input",
        description="What went wrong, for programs: docs/reference explains each code.",
    )
    instance = ma.fields.String(
        metadata={"example": "/v1/payments", "description": "The path that was called."}
    )
    error = ma.fields.String(
        metadata={
            "example": "amount: Must be greater than or equal to 1 and less than or equal to 999999999999.",
            "description": "The detail again, for older clients.",
        }
    )
    request_id = ma.fields.String(
        allow_none=True,
        metadata={
            "example": "req_01kaq3m5x0e8d7w2v9t4r6y1zn",
            "description": "By which our log knows this request.",
        },
    )
    errors = ma.fields.Dict(
        keys=ma.fields.String(),
        values=ma.fields.List(ma.fields.String()),
        metadata={
            "example": {
                "amount": ["Must be greater than or equal to 1 and less than or equal to 999999999999."]
            },
            "description": "Messages by field, where a schema refused the input.",
        },
    )


class Blueprint(flask_smorest.Blueprint):  # type: ignore[misc]
    """flask-smorest's blueprint with strict parsing, and problem documents as its errors."""

    ARGUMENTS_PARSER = StrictParser()

    def arguments(self, schema: ma.Schema | type[ma.Schema], **options: Any) -> Callable[[View], View]:
        """Read the input by ``schema``, made once here: a class would be made anew for each request."""
        instance = schema() if isinstance(schema, type) else schema
        decorator: Callable[[View], View] = super().arguments(instance, **options)
        if options.get("location") != "query":
            return decorator

        def decorate(view: View) -> View:
            decorated = decorator(view)
            setattr(decorated, QUERY_PARAMETERS, frozenset(instance.load_fields))
            return decorated

        return decorate

    def problem(self, status: int, description: str) -> Callable[[View], View]:
        decorator: Callable[[View], View] = self.alt_response(
            status, schema=ProblemSchema, description=description, content_type=PROBLEM_CONTENT_TYPE
        )
        return decorator

    def register_views_in_doc(self, api: "Api", *args: Any, **kwargs: Any) -> None:
        """Leave the description for when somebody first reads it."""
        api.describe_later(partial(super().register_views_in_doc, api, *args, **kwargs))


class Api(flask_smorest.Api):  # type: ignore[misc]
    """flask-smorest's API with problem documents as its errors, each described where it may come."""

    ERROR_SCHEMA = ProblemSchema
    DEFAULT_ERROR_RESPONSE_NAME = None

    def __init__(self, app: Flask) -> None:
        self._undescribed: list[Callable[[], None]] = []
        self._describing = Lock()
        super().__init__(app, spec_kwargs={"extra_plugins": [CommonProblems()]})
        self.ma_plugin.converter.add_attribute_function(whole_pattern)

    def describe_later(self, describe: Callable[[], None]) -> None:
        """Take up ``describe`` when somebody first reads the description.

        It is most of the work of a start, and command lines, workers and nearly all tests never need it.
        """
        self._undescribed.append(describe)

    def _openapi_json(self) -> Response:
        with self._describing:
            while self._undescribed:
                self._undescribed.pop(0)()
        response: Response = super()._openapi_json()
        return response

    def _register_responses(self) -> None:
        self.describe_later(super()._register_responses)

    def _register_pagination_header(self) -> None:
        """Leave out flask-smorest's own way to page, which nobody uses."""


def init_app(
    app: Flask,
    *,
    title: str,
    version: str,
    description: str,
    max_body_bytes: int,
    body_limits: Mapping[str, int] | None = None,
) -> Api:
    """Set up JSON, the body limit, ``/openapi.json`` and ``/docs``; return the API for the blueprints.

    ``body_limits`` are the endpoints that take more bytes than ``max_body_bytes``, and how many.
    """
    app.json = StrictJsonProvider(app)
    app.config.update(
        MAX_CONTENT_LENGTH=max_body_bytes,
        BODY_LIMITS=dict(body_limits or {}),
        API_TITLE=title,
        API_VERSION=version,
        OPENAPI_VERSION="3.1.0",
        OPENAPI_URL_PREFIX="/",
        OPENAPI_JSON_PATH="openapi.json",
        API_SPEC_OPTIONS={"info": {"description": description}},
    )
    app.before_request(_refuse_oversize)
    app.add_url_rule("/docs", "docs_page", _docs_page)
    app.add_url_rule("/docs/<path:name>", "docs_asset", _docs_asset)
    return Api(app)


def _refuse_oversize() -> None:
    """Answer 413 before anything else reads the body; Flask itself would only when it is read.

    A body in chunks says no length, and werkzeug cuts it off at the limit without a word.
    """
    config = current_app.config
    limit = config["BODY_LIMITS"].get(request.endpoint, config["MAX_CONTENT_LENGTH"])
    request.max_content_length = limit
    length = request.content_length
    if length is None and request.environ.get("wsgi.input_terminated"):
        length = len(request.get_data()) + len(request.environ["wsgi.input"].read(1))
    if length is not None and length > limit:
        raise RequestEntityTooLarge(f"The body is larger than {limit} bytes.")


def _docs_page() -> Response:
    page = render_template_string(_DOCS_PAGE, title=current_app.config["API_TITLE"])
    return Response(page, HTTPStatus.OK, content_type="text/html; charset=utf-8")


def _docs_asset(name: str) -> Response:
    return send_from_directory(_SWAGGER_FILES, name)


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
