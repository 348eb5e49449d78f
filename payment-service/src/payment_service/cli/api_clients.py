"""``payment-service api-clients``: the programs of merchants, and their secrets."""

from datetime import datetime, timedelta

import click
from service_kit.clock import utc_now

from payment_service.app import create_app
from payment_service.cli.merchants import text_up_to
from payment_service.commands.access.create_api_client import (
    ClientCredentials,
    CreateApiClient,
    create_api_client,
)
from payment_service.commands.access.disable_api_client import disable_api_client
from payment_service.commands.access.rotate_client_secret import rotate_client_secret
from payment_service.controllers.current import EXTENSION
from payment_service.errors import ApiClientNotFound, MerchantNotFound
from payment_service.models.merchants.api_client import ApiClient
from payment_service.queries.access import list_api_clients
from payment_service.values.scopes import Scope


@click.group("api-clients")
def api_clients() -> None:
    """Look after the programs that may ask for access tokens."""


@api_clients.command("create")
@click.option("--merchant", required=True, help="Whose it is: an id such as mer_lab.")
@click.option("--name", required=True, callback=text_up_to(200), help="What it is, for people.")
@click.option(
    "--scope",
    "scopes",
    required=True,
    multiple=True,
    type=click.Choice([scope.value for scope in Scope]),
    help="What its tokens may do at most; repeat for more.",
)
def create_client(merchant: str, name: str, scopes: tuple[str, ...]) -> None:
    """Make a client; prints its id and its secret, which cannot be shown again."""
    app = create_app()
    command = CreateApiClient(merchant, name, frozenset(map(Scope, scopes)))
    with app.app_context():
        try:
            credentials = create_api_client(command, app.extensions[EXTENSION])
        except MerchantNotFound as exc:
            raise click.ClickException(str(exc)) from exc
    _print_credentials(credentials)


@api_clients.command("list")
@click.option("--merchant", help="Only this one's, by its id.")
def list_clients(merchant: str | None) -> None:
    """List clients, oldest first; never their secrets."""
    now = utc_now()
    with create_app().app_context():
        for client, merchant_id in list_api_clients(merchant):
            click.echo(
                f"{client.client_id}  {merchant_id}  {client.name}  {_client_state(client, now)}  {client.scopes}"
            )


@api_clients.command("rotate-secret")
@click.argument("client_id")
@click.option(
    "--overlap-hours",
    default=24.0,
    show_default=True,
    type=click.FloatRange(min=0, max=24 * 30),
    help="How long the present secret stays valid; 0 when somebody else knows it.",
)
def rotate_secret(client_id: str, overlap_hours: float) -> None:
    """Give a client a new secret; the present one stays valid for a while, older ones end now."""
    app = create_app()
    with app.app_context():
        try:
            credentials = rotate_client_secret(
                client_id, timedelta(hours=overlap_hours), app.extensions[EXTENSION]
            )
        except ApiClientNotFound as exc:
            raise click.ClickException(str(exc)) from exc
    _print_credentials(credentials)


@api_clients.command("disable")
@click.argument("client_id")
def disable_client(client_id: str) -> None:
    """Shut a client out, for good: no new tokens, and those it has are refused within 10 seconds."""
    with create_app().app_context():
        try:
            disable_api_client(client_id)
        except ApiClientNotFound as exc:
            raise click.ClickException(str(exc)) from exc
    click.echo(f"{client_id} is disabled.")


def _print_credentials(credentials: ClientCredentials) -> None:
    click.echo(f"client_id      {credentials.client_id}")
    click.echo(f"client_secret  {credentials.client_secret}")
    click.echo("Keep the secret now; it is not stored and cannot be shown again.", err=True)


def _client_state(client: ApiClient, now: datetime) -> str:
    if client.disabled_at is not None:
        return f"disabled {client.disabled_at:%Y-%m-%d %H:%M:%S}Z"
    if len(client.secret_hashes(now)) > 1:
        return f"two secrets until {client.previous_expires_at:%Y-%m-%d %H:%M:%S}Z"
    return "enabled"
