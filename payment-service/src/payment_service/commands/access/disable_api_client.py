"""Shuts an API client out."""

from service_kit.clock import utc_now
from sqlalchemy import select
from sqlalchemy.orm import Session

from payment_service.errors import ApiClientNotFound
from payment_service.extensions import db
from payment_service.models.merchants.api_client import ApiClient


def disable_api_client(client_id: str) -> None:
    """Let it have no more tokens; those it has are refused within seconds, see ``ClientDirectory``.

    Raises:
        ApiClientNotFound: no client has that id.
    """
    now = utc_now()

    def work(session: Session) -> None:
        client = session.scalar(select(ApiClient).where(ApiClient.client_id == client_id).with_for_update())
        if client is None:
            raise ApiClientNotFound
        client.disabled_at = client.disabled_at or now

    db.in_transaction(work)
