"""Reads what an OAuth client sends to the token endpoint (RFC 6749, 2.3 and 4.4.2)."""

import base64
import binascii
from urllib.parse import unquote_plus

from flask import Request

from payment_service.commands.access.issue_token import TokenRequest
from payment_service.errors import ClientRefused, TokenRefused

FORM = "application/x-www-form-urlencoded"


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
    client_id, client_secret = _read_basic(header)
    if given.get("client_id", client_id) != client_id:
        raise TokenRefused("invalid_request", "The client_id of the body is another one.")
    return client_id, client_secret


def _read_basic(header: str) -> tuple[str, str]:
    """Return id and secret, each of which was form-encoded before base64 (2.3.1)."""
    scheme, _, encoded = header.partition(" ")
    try:
        text = base64.b64decode(encoded.strip(), validate=True).decode()
    except (binascii.Error, ValueError) as exc:
        raise ClientRefused from exc
    client_id, colon, client_secret = text.partition(":")
    if scheme.lower() != "basic" or not colon:
        raise ClientRefused
    return unquote_plus(client_id), unquote_plus(client_secret)
