"""Makes an API client of a merchant."""

from dataclasses import dataclass

from service_kit.clock import utc_now
from service_kit.ids import new_id
from sqlalchemy import select
from sqlalchemy.orm import Session

from payment_service.commands.dependencies import Dependencies
from payment_service.domain.access.client_secrets import new_client_secret
from payment_service.errors import MerchantNotFound
from payment_service.extensions import db
from payment_service.models.merchants.api_client import ApiClient
from payment_service.models.merchants.merchant import Merchant
from payment_service.values.scopes import Scope, write_scopes


@dataclass(frozen=True, slots=True)
class CreateApiClient:
    """Whose it is, what it is called, and what it may do at most; ``client_id`` None makes a new id."""

    merchant_public_id: str
    name: str
    scopes: frozenset[Scope]
    client_id: str | None = None


@dataclass(frozen=True, slots=True)
class ClientCredentials:
    """An id and its secret, which nobody can read again later."""

    client_id: str
    client_secret: str


def create_api_client(command: CreateApiClient, dependencies: Dependencies) -> ClientCredentials:
    """Store the client and return its credentials.

    Raises:
        MerchantNotFound: no merchant has that id.
    """
    now = utc_now()
    credentials = ClientCredentials(command.client_id or new_id("cli"), new_client_secret())
    secret_hash = dependencies.client_secrets.seal(credentials.client_secret)

    def work(session: Session) -> None:
        merchant_id = session.scalar(
            select(Merchant.id).where(Merchant.public_id == command.merchant_public_id)
        )
        if merchant_id is None:
            raise MerchantNotFound
        client = ApiClient(
            client_id=credentials.client_id,
            merchant_id=merchant_id,
            name=command.name,
            scopes=write_scopes(command.scopes),
            secret_hash=secret_hash,
            created_at=now,
        )
        session.add(client)

    db.in_transaction(work)
    return credentials
