"""Gives an API client a new secret; the present one stays valid for a while."""

from datetime import timedelta

from service_kit.clock import utc_now
from sqlalchemy import select
from sqlalchemy.orm import Session

from payment_service.commands.access.create_api_client import ClientCredentials
from payment_service.commands.dependencies import Dependencies
from payment_service.domain.access.client_secrets import new_client_secret
from payment_service.errors import ApiClientNotFound
from payment_service.extensions import db
from payment_service.models.merchants.api_client import ApiClient


def rotate_client_secret(client_id: str, overlap: timedelta, dependencies: Dependencies) -> ClientCredentials:
    """Return the new credentials; the secret before this one ends after ``overlap``, older ones now.

    Raises:
        ApiClientNotFound: no client has that id.
    """
    previous_expires_at = utc_now() + overlap
    credentials = ClientCredentials(client_id, new_client_secret())
    secret_hash = dependencies.client_secrets.seal(credentials.client_secret)

    def work(session: Session) -> None:
        client = session.scalar(select(ApiClient).where(ApiClient.client_id == client_id).with_for_update())
        if client is None:
            raise ApiClientNotFound
        client.rotate_secret(secret_hash, previous_expires_at)

    db.in_transaction(work)
    return credentials
