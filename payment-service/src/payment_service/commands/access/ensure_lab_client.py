"""Keeps the lab's API client usable by whoever holds its credentials in a file."""

from datetime import timedelta

from sqlalchemy import select

from payment_service.commands.access.create_api_client import (
    ClientCredentials,
    CreateApiClient,
    create_api_client,
)
from payment_service.commands.access.rotate_client_secret import rotate_client_secret
from payment_service.commands.dependencies import Dependencies
from payment_service.extensions import db
from payment_service.models.merchants.api_client import LAB_CLIENT_ID, ApiClient
from payment_service.models.merchants.merchant import LAB_MERCHANT_ID
from payment_service.values.scopes import Scope

# Copies of the former secret (in a Postman environment, say) have a day to be renewed.
OVERLAP = timedelta(days=1)


def ensure_lab_client(held: ClientCredentials | None, dependencies: Dependencies) -> ClientCredentials:
    """Return credentials that work: ``held`` if its secret is the client's newest, else new ones.

    The database knows the secret's HMAC only, so that a lost one can only be replaced. A client that an
    operator disabled stays disabled.
    """
    with db.reading() as session:
        client = session.scalar(select(ApiClient).where(ApiClient.client_id == LAB_CLIENT_ID))
    if client is None:
        command = CreateApiClient(LAB_MERCHANT_ID, "Lab", frozenset(Scope), client_id=LAB_CLIENT_ID)
        return create_api_client(command, dependencies)
    is_newest = (
        held is not None
        and held.client_id == LAB_CLIENT_ID
        and dependencies.client_secrets.matches(held.client_secret, (client.secret_hash,))
    )
    if held is not None and is_newest:
        return held
    return rotate_client_secret(LAB_CLIENT_ID, OVERLAP, dependencies)
