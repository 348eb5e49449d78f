"""Who calls, and whether they may: the bearer tokens of /v1 (RFC 6750)."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import g, request
from service_kit.clock import utc_now
from service_kit.web.api import Blueprint, problem_response, refuse_unknown_parameters

from payment_service.controllers.request import check_public_ids, current_dependencies
from payment_service.domain.access.api_clients import ClientRecord
from payment_service.domain.payments.events import api_client_actor
from payment_service.errors import AccessTokenMissing
from payment_service.queries.access import authenticate_client
from payment_service.values.scopes import Scope

SECURITY_SCHEME = "access_token"
REQUIRED_SCOPE = "required_scope"
View = Callable[..., Any]


def require_scope(name: str) -> Callable[[View], View]:
    """Let only callers in whose token has the scope, and say so in the description.

    Every view of /v1 has this decorator, right under its route: nothing of the request is read before.
    A test walks the routes.
    """
    scope = Scope(name)

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            dependencies = current_dependencies()
            g.api_client = authenticate_client(
                _bearer_token(), scope, dependencies.tokens, dependencies.clients, utc_now()
            )
            check_public_ids(request.view_args or {})
            refuse_unknown_parameters(view)
            return view(*args, **kwargs)

        documented: View = Blueprint.doc(
            security=[{SECURITY_SCHEME: [scope.value]}],
            responses={
                "401": problem_response("No access token, or one that is not valid"),
                "403": problem_response(f"The access token does not have the scope {scope}"),
            },
        )(guarded)
        setattr(documented, REQUIRED_SCOPE, scope)
        return documented

    return decorate


def current_merchant_id() -> int:
    """Return the key of the merchant for whom the request is made: everything is looked up with it."""
    client: ClientRecord = g.api_client
    return client.merchant_id


def current_actor() -> str:
    """Return who makes the request, as events name it."""
    client: ClientRecord = g.api_client
    return api_client_actor(client.client_id)


def _bearer_token() -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise AccessTokenMissing
    return token.strip()
