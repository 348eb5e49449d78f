"""The Idempotency-Key header of /v1, and answers that are given again byte for byte."""

from collections.abc import Callable, Mapping
from functools import wraps
from http import HTTPStatus
from typing import Any

from flask import Response, g, request
from service_kit.web.api import Blueprint, ProblemSchema
from service_kit.web.problems import CONTENT_TYPE as PROBLEM_CONTENT_TYPE

from payment_service.controllers.access import current_merchant_id
from payment_service.controllers.request import current_dependencies
from payment_service.domain.idempotency_keys import IdempotentRequest, StoredAnswer, fingerprint, key_hash
from payment_service.errors import IdempotencyKeyInvalid, IdempotencyKeyMissing

HEADER = "Idempotency-Key"
REPLAYED_HEADER = "Idempotent-Replayed"
IS_IDEMPOTENT = "is_idempotent"
LONGEST_KEY = 255
View = Callable[..., Any]

PARAMETER = {
    "name": HEADER,
    "in": "header",
    "required": True,
    "description": (
        "A name of yours for this request, such as a UUID. Sent again with the same parameters within "
        "24 hours, the request is not carried out again: the first answer comes again, with "
        f"`{REPLAYED_HEADER}: true`."
    ),
    "schema": {"type": "string", "minLength": 1, "maxLength": LONGEST_KEY, "pattern": "^[ -~]+$"},
    "example": "order-1017-attempt-1",
}
MEANINGS: Mapping[int, str] = {
    HTTPStatus.BAD_REQUEST: f"{HEADER} is missing or not one, or the body is malformed",
    HTTPStatus.CONFLICT: "the first request with this key is still under way",
    HTTPStatus.UNPROCESSABLE_ENTITY: "this key came with other parameters before",
}


def idempotent(view: View) -> View:
    """Require the header, and say so in the description.

    Every POST of /v1 has this decorator, right under ``@require_scope``. A test walks the routes.
    """

    @wraps(view)
    def keyed(*args: Any, **kwargs: Any) -> Any:
        g.idempotency_key = _read_key(request.headers.get(HEADER))
        return view(*args, **kwargs)

    documented: View = Blueprint.doc(parameters=[PARAMETER])(keyed)
    for status, meaning in MEANINGS.items():
        documented = _describe(documented, status, meaning)
    setattr(documented, IS_IDEMPOTENT, True)
    return documented


def idempotent_request(body: object = None) -> IdempotentRequest:
    """Return by what a repeat of the running request is recognised; ``body`` is what the schema loaded."""
    merchant_id = current_merchant_id()
    return IdempotentRequest(
        merchant_id=merchant_id,
        key_hash=key_hash(merchant_id, request.method, request.path, g.idempotency_key),
        fingerprint=fingerprint(body, current_dependencies().config.card_fingerprint_key),
    )


def respond(answer: StoredAnswer) -> Response:
    """Return the answer as it is stored."""
    response = Response(answer.body, answer.status, content_type=answer.content_type)
    if answer.location is not None:
        response.headers["Location"] = answer.location
    if answer.retry_after_s is not None:
        response.headers["Retry-After"] = str(answer.retry_after_s)
    if answer.is_replay:
        response.headers[REPLAYED_HEADER] = "true"
    return response


def _read_key(text: str | None) -> str:
    if not text:
        raise IdempotencyKeyMissing
    if len(text) > LONGEST_KEY or not (text.isascii() and text.isprintable()):
        raise IdempotencyKeyInvalid
    return text


def _describe(view: View, status: int, meaning: str) -> View:
    """Add what a status means here to what the route says of it."""
    described = getattr(view, "_apidoc", {}).get("response", {}).get("responses", {})
    own = described.get(status)
    if own is None:
        add: Callable[[View], View] = Blueprint("idempotency", __name__).alt_response(
            status,
            schema=ProblemSchema,
            description=meaning[0].upper() + meaning[1:],
            content_type=PROBLEM_CONTENT_TYPE,
        )
        return add(view)
    for response in own:
        # The body's schema refers to one description of 400 for all routes: a name, nothing to add to.
        if isinstance(response, dict):
            response["description"] += f"; or {meaning}"
    return view
