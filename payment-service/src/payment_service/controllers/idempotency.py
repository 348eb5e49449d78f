"""The Idempotency-Key header of /v1, and answers that are given again byte for byte."""

import hmac
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from datetime import date
from decimal import Decimal
from enum import Enum
from functools import wraps
from hashlib import sha256
from http import HTTPStatus
from typing import Any, TypeVar

from flask import Response, g, request
from service_kit.web import strict_json
from service_kit.web.api import Blueprint

from payment_service.controllers.access import current_actor, current_merchant_id
from payment_service.controllers.request import current_dependencies
from payment_service.domain.idempotency_keys import IdempotentRequest, StoredAnswer
from payment_service.errors import IdempotencyKeyInvalid, IdempotencyKeyMissing
from payment_service.processing.dependencies import Dependencies
from payment_service.processing.idempotent import IdempotentOperation, PaymentRows
from payment_service.values.cards import CardData

HEADER = "Idempotency-Key"
REPLAYED_HEADER = "Idempotent-Replayed"
IS_IDEMPOTENT = "is_idempotent"
LONGEST_KEY = 255
View = Callable[..., Any]
C = TypeVar("C")
# Nothing that is stored may depend on it (PCI DSS 3.3.1): three digits are guessed at once.
LEFT_OUT = frozenset({"cvc", "cvv"})
_PURPOSE = b"parameters of an idempotent request\n"
_NAME_PURPOSE = b"name of an idempotent request\n"

PARAMETER = {
    "name": HEADER,
    "in": "header",
    "required": True,
    "description": (
        "A name of yours for this request, such as a UUID. Sent again with the same parameters within "
        "24 hours, the request is not carried out again: the first answer comes again, with "
        f"`{REPLAYED_HEADER}: true`; while that is being made, after a short wait."
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
    merchant_id, config = current_merchant_id(), current_dependencies().config
    named = (merchant_id, request.method, request.path, g.idempotency_key)
    return IdempotentRequest(
        merchant_id=merchant_id,
        key_hash=key_hash(*named, config.card_fingerprint_key),
        fingerprint=fingerprint(body, config.card_fingerprint_key),
        old_hashes=tuple(key_hash(*named, old) for old in config.card_fingerprint_old_keys),
        old_fingerprints=tuple(fingerprint(body, old) for old in config.card_fingerprint_old_keys),
    )


def carry_out(
    use_case: Callable[[C, IdempotentOperation, Dependencies], StoredAnswer],
    command: C,
    present: Callable[[PaymentRows], StoredAnswer],
    body: object,
) -> Response:
    """Carry a command about a payment out under the request's key; ``body`` is what the schema loaded."""
    operation = IdempotentOperation(idempotent_request(body), current_actor(), present)
    return respond(use_case(command, operation, current_dependencies()))


def respond(answer: StoredAnswer) -> Response:
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
        return Blueprint("idempotency", __name__).problem(status, meaning[0].upper() + meaning[1:])(view)
    for response in own:
        # The body's schema refers to one description of 400 for all routes: a name, nothing to add to.
        if isinstance(response, dict):
            response["description"] += f"; or {meaning}"
    return view


def key_hash(merchant_id: int, method: str, path: str, key: str, secret: bytes) -> str:
    """Return an HMAC-SHA256 in hex: the same key of another merchant, method or path is another one.

    Keys are often guessable (order-1017), and who reads the database must not be able to try them.
    """
    named = strict_json.dumps([merchant_id, method, path, key]).encode()
    return hmac.new(secret, _NAME_PURPOSE + named, sha256).hexdigest()


def fingerprint(body: object, secret: bytes) -> str:
    """Return an HMAC-SHA256 in hex over validated parameters; the CVV is left out wherever it is.

    ``body`` is what the schema loaded: a dataclass, a mapping, or None. The order of members is nothing.

    Raises:
        TypeError: something in it has no one way to be written; a programming error.
    """
    return hmac.new(secret, _PURPOSE + strict_json.dumps(_plain(body, secret)).encode(), sha256).hexdigest()


def _plain(value: object, secret: bytes) -> Any:
    """Return ``value`` as JSON values that are the same for equal parameters."""
    if isinstance(value, CardData):
        return ["card", value.fingerprint(secret), value.exp_month, value.exp_year]
    if isinstance(value, Enum):
        value = value.value
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, Decimal):
        return ["decimal", str(value.normalize())]
    if isinstance(value, date):
        return ["date", value.isoformat()]
    if is_dataclass(value) and not isinstance(value, type):
        value = {field.name: getattr(value, field.name) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(name): _plain(value[name], secret) for name in sorted(value) if name not in LEFT_OUT}
    if isinstance(value, list | tuple):
        return [_plain(item, secret) for item in value]
    raise TypeError(f"A {type(value).__name__} cannot be part of a fingerprint.")
