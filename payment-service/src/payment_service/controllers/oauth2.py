"""Access tokens for merchants' servers (RFC 6749, 4.4), and the keys to check them with (RFC 7517)."""

from typing import Any

from flask import request
from service_kit.api import Blueprint
from service_kit.clock import utc_now

from payment_service.commands.access.issue_token import IssuedToken, issue_token
from payment_service.controllers.current import current_dependencies
from payment_service.controllers.token_request import FORM, read_token_request
from payment_service.domain.access.key_ring import JWKS_KEPT
from payment_service.queries.access import published_keys
from payment_service.schemas.access import JwksSchema, TokenRefusalSchema, TokenSchema

oauth2 = Blueprint("oauth2", "oauth2", description="Access tokens for merchants' servers")

CLIENT_SCHEME = "client"
TOKEN_FORM = {
    "type": "object",
    "required": ["grant_type"],
    "properties": {
        "grant_type": {"type": "string", "enum": ["client_credentials"]},
        "scope": {
            "type": "string",
            "description": "Scopes with a blank between; all that the client has when absent.",
            "example": "payments:read payments:write",
        },
        "client_id": {"type": "string", "description": "Where the client does not use HTTP Basic."},
        "client_secret": {"type": "string", "description": "Goes with client_id."},
    },
}


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
@oauth2.problem(503, "No token can be signed now")
def give_token() -> tuple[IssuedToken, dict[str, str]]:
    """Give an access token for a client's id and secret: by HTTP Basic, or in the body."""
    return issue_token(read_token_request(request), current_dependencies()), {"Pragma": "no-cache"}


@oauth2.get("/.well-known/jwks.json")
@oauth2.response(200, JwksSchema, description="The keys that sign now, will soon, or did until lately")
def show_keys() -> tuple[dict[str, Any], dict[str, str]]:
    """Show the public keys with which access tokens can be checked."""
    keys = published_keys(current_dependencies().tokens, utc_now())
    return {"keys": keys}, {"Cache-Control": f"public, max-age={int(JWKS_KEPT.total_seconds())}"}
