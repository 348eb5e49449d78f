"""Access tokens for merchants' servers (RFC 6749, 4.4), and the keys to check them with (RFC 7517)."""

from typing import Any
from urllib.parse import unquote_plus

from flask import Request, request
from service_kit.clock import utc_now
from service_kit.web.api import Blueprint

from payment_service.commands.access.issue_token import IssuedToken, Origin, TokenRequest, issue_token
from payment_service.controllers.request import current_dependencies, trusted_client_ip
from payment_service.domain.access.signing_keys import JWKS_KEPT
from payment_service.errors import ClientRefused, TokenRefused
from payment_service.queries.access import published_keys
from payment_service.schemas.access import JwksSchema, TokenRefusalSchema, TokenSchema

oauth2 = Blueprint("oauth2", "oauth2", description="Access tokens for merchants' servers")

CLIENT_SCHEME = "client"
TOKEN_FORM = {
    "type": "object",
    "required": ["grant_type"],
    "properties": {
        "grant_type": {
            "type": "string",
            "enum": ["client_credentials"],
            "example": "client_credentials",
            "description": "The only grant that exists here.",
        },
        "scope": {
            "type": "string",
            "description": "Scopes with a blank between; all that the client has when absent.",
            "example": "payments:read payments:write",
        },
        "client_id": {
            "type": "string",
            "example": "cli_01jd3v6z9gqz4y2t8n5r7c0b1a",
            "description": "Where the client does not use HTTP Basic.",
        },
        "client_secret": {"type": "string", "example": "cs_…", "description": "Goes with `client_id`."},
    },
}

FORM = "application/x-www-form-urlencoded"


@oauth2.post("/oauth2/token")
@oauth2.doc(
    requestBody={"required": True, "content": {FORM: {"schema": TOKEN_FORM}}},
    security=[{CLIENT_SCHEME: []}, {}],
)
@oauth2.response(200, TokenSchema, description="A token, valid for 15 minutes")
@oauth2.alt_response(
    400, schema=TokenRefusalSchema, description="Not a request for a token, or no such scope"
)
@oauth2.alt_response(401, schema=TokenRefusalSchema, description="The client did not show who it is")
@oauth2.alt_response(
    429, schema=TokenRefusalSchema, description="Too many failed, from this address or for this client"
)
@oauth2.problem(503, "No token can be signed now")
def give_token() -> tuple[IssuedToken, dict[str, str]]:
    """Give an access token for a client's id and secret: by HTTP Basic, or in the body."""
    dependencies = current_dependencies()
    asked_by = Origin(trusted_client_ip(request, dependencies.config.trusted_proxies), request.remote_addr)
    token = issue_token(read_token_request(request), asked_by, dependencies)
    return token, {"Pragma": "no-cache"}


@oauth2.get("/.well-known/jwks.json")
@oauth2.response(200, JwksSchema, description="The keys that sign now, will soon, or did until lately")
def show_keys() -> tuple[dict[str, Any], dict[str, str]]:
    """Show the public keys with which access tokens can be checked."""
    keys = published_keys(current_dependencies().tokens, utc_now())
    return {"keys": keys}, {"Cache-Control": f"public, max-age={int(JWKS_KEPT.total_seconds())}"}


def read_token_request(request: Request) -> TokenRequest:
    """Return the request; parameters that we do not know are ignored, as the RFC says.

    Raises:
        TokenRefused: it is not a form, repeats a parameter, lacks one, or authenticates in two ways.
        ClientRefused: the client does not authenticate, or its header cannot be read.
    """
    if request.mimetype != FORM:
        raise TokenRefused("invalid_request", f"The body must be {FORM}.")
    if any(len(values) > 1 for values in request.form.listvalues()):
        raise TokenRefused("invalid_request", "A parameter is there twice.")
    # A parameter without a value counts as omitted (3.2).
    given = {name: value for name, value in request.form.items() if value}
    client_id, client_secret = _credentials(request, given)
    if "grant_type" not in given:
        raise TokenRefused("invalid_request", "grant_type is missing.")
    return TokenRequest(client_id, client_secret, given["grant_type"], given.get("scope"))


def _credentials(request: Request, given: dict[str, str]) -> tuple[str, str]:
    header = request.headers.get("Authorization")
    if header is None:
        if "client_id" not in given or "client_secret" not in given:
            raise ClientRefused
        return given["client_id"], given["client_secret"]
    if "client_secret" in given:
        raise TokenRefused("invalid_request", "The client authenticates in two ways.")
    # The library stumbles over anything but ASCII.
    basic = request.authorization if header.isascii() else None
    if basic is None or basic.type != "basic":
        raise ClientRefused
    # Each was form-encoded before base64 (2.3.1).
    client_id, client_secret = unquote_plus(basic.username or ""), unquote_plus(basic.password or "")
    if given.get("client_id", client_id) != client_id:
        raise TokenRefused("invalid_request", "The client_id of the body is another one.")
    return client_id, client_secret
