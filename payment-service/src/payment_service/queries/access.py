"""Reads who may do what: the caller of a request, published keys, and lists for operators."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select

from payment_service.domain.access.access_tokens import AccessTokens
from payment_service.domain.access.api_clients import ClientDirectory, ClientRecord
from payment_service.errors import AccessTokenInvalid, ScopeMissing
from payment_service.extensions import db
from payment_service.models.merchant import ApiClient, Merchant, SigningKey
from payment_service.values.scopes import Scope


def authenticate_client(
    token: str, scope: Scope, tokens: AccessTokens, clients: ClientDirectory, now: datetime
) -> ClientRecord:
    """Return the API client that calls with this token.

    A client that was disabled is refused although its token has not expired, and so is a token whose
    client has another merchant than it says.

    Raises:
        AccessTokenInvalid: the token is not good.
        ScopeMissing: it is, but does not allow ``scope``.
    """
    with db.reading() as session:
        verified = tokens.verify(session, token, now)
        client = clients.get(session, verified.client_id)
    if client is None or client.is_disabled or client.merchant_public_id != verified.merchant_id:
        raise AccessTokenInvalid
    if scope not in verified.scopes:
        raise ScopeMissing(scope)
    return client


def published_keys(tokens: AccessTokens, now: datetime) -> list[dict[str, Any]]:
    """Return the public keys with which others can check our tokens (RFC 7517)."""
    with db.reading() as session:
        return tokens.ring.published(session, now)


def list_api_clients(merchant_public_id: str | None) -> Sequence[tuple[ApiClient, str]]:
    """Return the API clients with their merchants' ids, oldest first; None means those of all merchants."""
    statement = (
        select(ApiClient, Merchant.public_id)
        .join(Merchant, Merchant.id == ApiClient.merchant_id)
        .order_by(ApiClient.id)
    )
    if merchant_public_id is not None:
        statement = statement.where(Merchant.public_id == merchant_public_id)
    with db.reading() as session:
        return [(row[0], row[1]) for row in session.execute(statement)]


def list_signing_keys() -> Sequence[SigningKey]:
    """Return all signing keys, oldest first."""
    with db.reading() as session:
        return list(session.scalars(select(SigningKey).order_by(SigningKey.id)))
