"""Gives an API client an access token for its secret (RFC 6749, 4.4)."""

import re
from dataclasses import dataclass
from datetime import datetime

import structlog
from service_kit.clock import utc_now
from service_kit.ids import new_id
from sqlalchemy import select
from sqlalchemy.orm import Session

from payment_service.domain.access.api_clients import ClientSecrets, client_record
from payment_service.domain.access.signing_keys import TOKEN_LIFETIME
from payment_service.errors import ClientRefused, TokenRefused, TooManyFailures
from payment_service.extensions import db
from payment_service.models.merchant import ApiClient, Merchant
from payment_service.processing.dependencies import Dependencies
from payment_service.values.scopes import Scope, parse_scopes, write_scopes

log = structlog.get_logger(__name__)

# Anything else is no id of ours, and not every engine compares it with one.
_CLIENT_ID = re.compile(r"[A-Za-z0-9_]{1,64}")
# An id that may stand in the log although nobody has it; what else is there may be a secret in its place.
_OUR_ID = re.compile(r"cli_[A-Za-z0-9]{1,32}")


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """What the client sent; ``scope`` None means everything that it was granted."""

    client_id: str
    client_secret: str
    grant_type: str
    scope: str | None


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request came from: the caller's ``address``, if it can be known, and who sent it on to us."""

    address: str | None
    peer: str | None


@dataclass(frozen=True, slots=True)
class IssuedToken:
    access_token: str
    expires_in: int
    scope: str
    token_type: str = "Bearer"  # noqa: S105  the type of every access token (RFC 6750)


def issue_token(request: TokenRequest, origin: Origin, dependencies: Dependencies) -> IssuedToken:
    """Return a token.

    Raises:
        TooManyFailures: of this client, or from this address; see ``TokenFailures``.
        ClientRefused: the client is unknown or disabled, or the secret is not its own.
        TokenRefused: another grant, or a scope that the client does not have.
        SigningKeyMissing, SigningKeyUnreadable: an operator must look.
    """
    now, jti = utc_now(), new_id("tok")
    with db.reading() as session:
        client, merchant_public_id = _admit(session, request, origin, dependencies, now)
        if request.grant_type != "client_credentials":
            raise TokenRefused("unsupported_grant_type", "The only grant here is client_credentials.")
        scopes = _narrowed(client.granted, request.scope)
        record = client_record(client, merchant_public_id)
        token = dependencies.tokens.issue(session, record, scopes, jti=jti, now=now)
    return IssuedToken(token, int(TOKEN_LIFETIME.total_seconds()), write_scopes(scopes))


def _admit(
    session: Session, request: TokenRequest, origin: Origin, dependencies: Dependencies, now: datetime
) -> tuple[ApiClient, str]:
    """Authenticate the client, count it if that fails, and tell operators who it was."""
    named = request.client_id if _OUR_ID.fullmatch(request.client_id) else None
    failures, address = dependencies.token_failures, origin.address
    try:
        failures.check(named, address)
        try:
            return _authenticate(session, request, dependencies.client_secrets, now)
        except ClientRefused:
            failures.add(named, address)
            raise
    except TokenRefused as refused:
        is_limited = isinstance(refused, TooManyFailures)
        event = "token_requests_limited" if is_limited else "client_refused"
        log.warning(event, client=named, address=address, peer=origin.peer)
        raise


def _authenticate(
    session: Session, request: TokenRequest, secrets: ClientSecrets, now: datetime
) -> tuple[ApiClient, str]:
    row = None
    if _CLIENT_ID.fullmatch(request.client_id):
        row = session.execute(
            select(ApiClient, Merchant.public_id)
            .join(Merchant, Merchant.id == ApiClient.merchant_id)
            .where(ApiClient.client_id == request.client_id)
        ).one_or_none()
    sealed = row[0].secret_hashes(now) if row is not None else ()
    if not secrets.matches(request.client_secret, sealed) or row is None or row[0].disabled_at is not None:
        raise ClientRefused
    return row[0], row[1]


def _narrowed(granted: frozenset[Scope], requested: str | None) -> frozenset[Scope]:
    if requested is None:
        return granted
    try:
        scopes = parse_scopes(requested)
    except ValueError as exc:
        raise TokenRefused("invalid_scope", "A scope is unknown.") from exc
    if not scopes or not scopes <= granted:
        raise TokenRefused("invalid_scope", "The client does not have all of these scopes.")
    return scopes
