"""Makes API clients of merchants, renews their secrets, and disables them."""

from dataclasses import dataclass
from datetime import timedelta

from service_kit.clock import utc_now
from service_kit.ids import new_id
from sqlalchemy import select
from sqlalchemy.orm import Session

from payment_service.domain.access.api_clients import new_client_secret
from payment_service.errors import NotFound
from payment_service.extensions import db
from payment_service.models.merchant import LAB_CLIENT_ID, LAB_MERCHANT_ID, ApiClient, Merchant
from payment_service.processing.dependencies import Dependencies
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
        NotFound: no merchant has that id.
    """
    now = utc_now()
    credentials = ClientCredentials(command.client_id or new_id("cli"), new_client_secret())
    secret_hash = dependencies.client_secrets.seal(credentials.client_secret)

    def work(session: Session) -> None:
        owner = select(Merchant.id).where(Merchant.public_id == command.merchant_public_id)
        merchant_id = session.scalar(owner)
        if merchant_id is None:
            raise NotFound("merchant")
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


def disable_api_client(client_id: str) -> None:
    """Give it no further tokens; those it has are refused within seconds, see ``ClientDirectory``.

    Raises:
        NotFound: no client has that id.
    """
    now = utc_now()

    def work(session: Session) -> None:
        client = _lock_client(session, client_id)
        client.disabled_at = client.disabled_at or now

    db.in_transaction(work)


def _lock_client(session: Session, client_id: str) -> ApiClient:
    client = session.scalar(select(ApiClient).where(ApiClient.client_id == client_id).with_for_update())
    if client is None:
        raise NotFound("API client")
    return client


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
    secrets = dependencies.client_secrets
    is_lab = held is not None and held.client_id == LAB_CLIENT_ID
    if held is not None and is_lab and secrets.matches(held.client_secret, (client.secret_hash,)):
        return held
    return rotate_client_secret(LAB_CLIENT_ID, OVERLAP, dependencies)


def rotate_client_secret(client_id: str, overlap: timedelta, dependencies: Dependencies) -> ClientCredentials:
    """Return the new credentials; the secret before this one ends after ``overlap``, older ones now.

    Raises:
        NotFound: no client has that id.
    """
    previous_expires_at = utc_now() + overlap
    credentials = ClientCredentials(client_id, new_client_secret())
    secret_hash = dependencies.client_secrets.seal(credentials.client_secret)

    def work(session: Session) -> None:
        _lock_client(session, client_id).rotate_secret(secret_hash, previous_expires_at)

    db.in_transaction(work)
    return credentials
