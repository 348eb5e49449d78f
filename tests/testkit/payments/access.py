"""Merchants, API clients and access tokens."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from payment_service.commands.access.api_clients import ClientCredentials, CreateApiClient, create_api_client
from payment_service.commands.access.create_merchant import CreateMerchant, create_merchant
from payment_service.values.scopes import Scope
from service_kit.ids import new_id

from tests.testkit.payments.cards import V1_CARD
from tests.testkit.payments.client import Answer
from tests.testkit.payments.world import World

A_PAYMENT: Mapping[str, Any] = {"amount": 19999, "currency": "MAD", "order_id": "order-7"}
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Shop:
    """A merchant with an API client that may do everything, and a token."""

    merchant_id: str
    credentials: ClientCredentials
    bearer: Mapping[str, str]

    def post(self, world: World, path: str, body: object = None, key: str | None = None) -> Answer:
        """Send a POST under a key, a new one unless it is given; without a body where that is None."""
        headers = {**self.bearer, "Idempotency-Key": key or new_id("key")}
        return world.client.post(path, headers=headers, **({} if body is None else {"json": body}))

    def get(self, world: World, path: str, **query: object) -> Answer:
        """Send a GET."""
        return world.client.get(path, headers=self.bearer, query_string=query or None)

    def create(self, world: World, **changes: Any) -> Answer:
        """Create a payment."""
        return self.post(world, "/v1/payments", {**A_PAYMENT, **changes})

    def pay(self, world: World, card: Mapping[str, Any] | None = None, **changes: Any) -> Answer:
        """Create a payment and pay it at once."""
        return self.create(world, confirm=True, card=card or V1_CARD, **changes)


def open_shop(world: World, name: str = "Librairie Atlas") -> Shop:
    """Take a merchant in, with a client and a token for all scopes."""
    with world.app.app_context():
        merchant = create_merchant(
            CreateMerchant(name, f"{name} SARL", "2, rue du Port\nRabat", "IF 12345678", "fr", "MAD")
        )
    credentials = new_client(world, merchant.public_id)
    return Shop(merchant.public_id, credentials, bearer(world, credentials))


def new_client(world: World, merchant_id: str, scopes: Iterable[Scope] = Scope) -> ClientCredentials:
    """Make an API client of a merchant."""
    with world.app.app_context():
        command = CreateApiClient(merchant_id, "Test", frozenset(scopes))
        return create_api_client(command, world.dependencies)


def ask_token(world: World, credentials: ClientCredentials, **more: str) -> Answer:
    """Ask for a token with the credentials in the body."""
    form = {
        "grant_type": "client_credentials",
        "client_id": credentials.client_id,
        "client_secret": credentials.client_secret,
        **more,
    }
    return world.client.post("/oauth2/token", data=form)


def bearer(world: World, credentials: ClientCredentials, **more: str) -> Mapping[str, str]:
    """Return the header of a request with a new token."""
    answer = ask_token(world, credentials, **more)
    if answer.status_code != 200:
        raise AssertionError(answer.text)
    return {"Authorization": f"Bearer {answer.json['access_token']}"}
