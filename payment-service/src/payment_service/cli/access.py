"""``payment-service merchants``, ``api-clients`` and ``signing-keys``: who may take payments through us."""

import json
import os
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path

import click
from marshmallow import ValidationError
from service_kit.clock import utc_now
from service_kit.currencies import is_currency
from service_kit.process.cli import OneOf
from service_kit.web.strict_fields import ONE_LINE

from payment_service.cli.console import application, utc
from payment_service.commands.access.api_clients import (
    ClientCredentials,
    CreateApiClient,
    create_api_client,
    disable_api_client,
    ensure_lab_client,
    rotate_client_secret,
)
from payment_service.commands.access.change_merchant import change_merchant
from payment_service.commands.access.create_merchant import CreateMerchant, create_merchant
from payment_service.commands.access.revoke_signing_key import revoke_signing_key
from payment_service.commands.access.rotate_signing_keys import rotate_signing_keys
from payment_service.domain.access.signing_keys import RingKey
from payment_service.models.merchant import ApiClient, SigningKey
from payment_service.processing.dependencies import Dependencies
from payment_service.queries.access import list_api_clients, list_signing_keys
from payment_service.queries.merchants import get_merchant, list_merchants
from payment_service.values.scopes import Scope, SigningAlgorithm


def text_up_to(length: int) -> Callable[[click.Context, click.Parameter, str | None], str | None]:
    """Return a check that an option's text is one line that fits its column, and not blank where required."""

    def check(_ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
        if param.required and not (value or "").strip():
            raise click.BadParameter("It is empty.")
        if value is not None and len(value) > length:
            raise click.BadParameter(f"It is longer than {length} characters.")
        return None if value is None else _one_line(value)

    return check


def _one_line(text: str) -> str:
    try:
        ONE_LINE(text)
    except ValidationError as exc:
        raise click.BadParameter(str(exc.messages[0])) from exc
    return text


def _address_of(lines: tuple[str, ...]) -> str:
    """Return the lines of an address as they are stored; none of them breaks a receipt."""
    address = "\n".join(map(_one_line, lines))
    if not address.strip():
        raise click.UsageError("The address is empty.")
    if len(address) > 500:
        raise click.UsageError("The address is longer than 500 characters.")
    return address


def _known_currency(_ctx: click.Context, _param: click.Parameter, value: str) -> str:
    if not is_currency(value):
        raise click.BadParameter(f"{value} is no currency of ISO 4217, such as MAD")
    return value


@click.group()
def merchants() -> None:
    """Look after merchants: each owns its payments, clients and books, and sees no other's."""


@merchants.command("create")
@click.option("--name", required=True, callback=text_up_to(200), help="What payers know it by.")
@click.option("--legal-name", callback=text_up_to(200), help="For receipts; the name when absent.")
@click.option("--address", required=True, multiple=True, help="A line of it; repeat for more.")
@click.option("--tax-number", default="", callback=text_up_to(64), help="For receipts.")
@click.option(
    "--locale", default="fr", show_default=True, type=click.Choice(["fr", "en"]), help="Of its receipts."
)
@click.option("--currency", default="MAD", show_default=True, callback=_known_currency, help="ISO 4217.")
def create_merchant_command(
    name: str, legal_name: str | None, address: tuple[str, ...], tax_number: str, locale: str, currency: str
) -> None:
    """Take a merchant in; prints its id."""
    command = CreateMerchant(name, legal_name or name, _address_of(address), tax_number, locale, currency)
    with application():
        click.echo(create_merchant(command).public_id)


@merchants.command("change")
@click.argument("merchant_id")
@click.option("--name", callback=text_up_to(200), help="What payers know it by.")
@click.option("--legal-name", callback=text_up_to(200), help="For receipts.")
@click.option("--address", multiple=True, help="A line of the whole new one; repeat for more.")
@click.option("--tax-number", callback=text_up_to(64), help="For receipts.")
@click.option("--locale", type=click.Choice(["fr", "en"]), help="Of its receipts.")
def change_merchant_command(merchant_id: str, address: tuple[str, ...], **changes: str | None) -> None:
    """Change what is given of a merchant; receipts follow within a minute.

    Its currency and its id stay: books and tokens hold them.
    """
    given = {name: value for name, value in changes.items() if value is not None}
    if any(not value.strip() for name, value in given.items() if name != "tax_number"):
        raise click.UsageError("A name is empty.")
    if address:
        given["address"] = _address_of(address)
    if not given:
        raise click.UsageError("Nothing to change was given.")
    with application():
        change_merchant(merchant_id, given)
    click.echo(f"{merchant_id} is changed.")


@merchants.command("list")
def list_merchants_command() -> None:
    """List merchants, oldest first."""
    with application():
        for merchant in list_merchants():
            click.echo(
                f"{merchant.public_id}  {merchant.name}  {merchant.locale}  {merchant.currency}  "
                f"since {merchant.created_at:%Y-%m-%d}"
            )


@merchants.command("show")
@click.argument("merchant_id")
def show_merchant(merchant_id: str) -> None:
    """Show everything that is kept about a merchant, by the id that `list` shows."""
    with application():
        merchant = get_merchant(merchant_id)
    rows = {
        "id": merchant.public_id,
        "name": merchant.name,
        "legal name": merchant.legal_name,
        "address": merchant.address.replace("\n", f"\n{'':<11} "),
        "tax number": merchant.tax_number,
        "locale": merchant.locale,
        "currency": merchant.currency,
        "since": utc(merchant.created_at),
    }
    for label, value in rows.items():
        click.echo(f"{label:<11} {value}")


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
    type=OneOf(Scope),
    help="What its tokens may do at most; repeat for more.",
)
def create_client(merchant: str, name: str, scopes: tuple[Scope, ...]) -> None:
    """Make a client; prints its id and its secret, which cannot be shown again."""
    command = CreateApiClient(merchant, name, frozenset(scopes))
    with application() as dependencies:
        credentials = create_api_client(command, dependencies)
    _print_credentials(credentials)


@api_clients.command("list")
@click.option("--merchant", help="Only this one's, by its id.")
def list_clients(merchant: str | None) -> None:
    """List clients, oldest first; never their secrets."""
    now = utc_now()
    with application():
        if merchant is not None:
            get_merchant(merchant)
        for client, merchant_id in list_api_clients(merchant):
            state = _client_state(client, now)
            click.echo(f"{client.client_id}  {merchant_id}  {client.name}  {state}  {client.scopes}")


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
    with application() as dependencies:
        credentials = rotate_client_secret(client_id, timedelta(hours=overlap_hours), dependencies)
    _print_credentials(credentials)


@api_clients.command("disable")
@click.argument("client_id")
def disable_client(client_id: str) -> None:
    """Shut a client out, for good: no new tokens, and those it has are refused within 10 seconds."""
    with application():
        disable_api_client(client_id)
    click.echo(f"{client_id} is disabled.")


def _print_credentials(credentials: ClientCredentials) -> None:
    click.echo(f"client_id      {credentials.client_id}")
    click.echo(f"client_secret  {credentials.client_secret}")
    click.echo("Keep the secret now; it is not stored and cannot be shown again.", err=True)


def _client_state(client: ApiClient, now: datetime) -> str:
    if client.disabled_at is not None:
        return f"disabled {utc(client.disabled_at)}"
    if client.previous_expires_at is not None and len(client.secret_hashes(now)) > 1:
        return f"two secrets until {utc(client.previous_expires_at)}"
    return "enabled"


def keep_lab_client(file: Path, dependencies: Dependencies) -> None:
    """Leave credentials that work in ``file``: those that are there, or new ones in their place."""
    held = _read_credentials(file)
    credentials = ensure_lab_client(held, dependencies)
    document = {**asdict(credentials), "token_url": f"{dependencies.config.public_base_url}/oauth2/token"}
    _replace_file(file, json.dumps(document, indent=2) + "\n")
    click.echo(
        f"Kept the credentials in {file}." if credentials == held else f"Wrote new credentials to {file}."
    )


def _read_credentials(file: Path) -> ClientCredentials | None:
    """Return what the file holds, or None where it is missing or is none of ours."""
    try:
        document = json.loads(file.read_text())
        client_id, client_secret = document["client_id"], document["client_secret"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if not isinstance(client_id, str) or not isinstance(client_secret, str):
        return None
    return ClientCredentials(client_id, client_secret)


def _replace_file(file: Path, text: str) -> None:
    """Replace the file whole: nobody reads half of it, and nobody else may read it at any moment."""
    file.parent.mkdir(parents=True, exist_ok=True)
    # mkstemp makes it readable by its owner only (0600), and the name does not exist before.
    descriptor, half = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    try:
        with os.fdopen(descriptor, "w") as opened:
            opened.write(text)
            opened.flush()
            os.fsync(opened.fileno())
        Path(half).replace(file)
    except BaseException:
        Path(half).unlink(missing_ok=True)
        raise


@click.group("signing-keys")
def signing_keys() -> None:
    """Look after the keys that sign access tokens."""


@signing_keys.command("list")
def list_keys() -> None:
    """List keys, oldest first: which one signs, which are published."""
    now = utc_now()
    with application():
        for key in list_signing_keys():
            click.echo(f"{key.kid}  {key.algorithm}  {_key_state(key, now)}")


@signing_keys.command("rotate")
@click.option(
    "--algorithm",
    default=SigningAlgorithm.EDDSA.value,
    show_default=True,
    type=OneOf(SigningAlgorithm),
)
@click.option(
    "--now", "at_once", is_flag=True, help="Sign with it at once: others that keep our keys may refuse it."
)
def rotate_key(algorithm: SigningAlgorithm, *, at_once: bool) -> None:
    """Make a new key: published now, it signs in 10 minutes, when the present one retires.

    That one stays published for 15 minutes more, until its last token has expired.
    """
    with application() as dependencies:
        key = rotate_signing_keys(algorithm, dependencies, at_once=at_once)
    click.echo(f"{key.kid} signs from {utc(key.activated_at)} on.")


@signing_keys.command("revoke")
@click.argument("kid")
def revoke_key(kid: str) -> None:
    """Withdraw a key whose private half others may know: its tokens are refused within seconds.

    Where it signs, the next key does so at once, or a new one.
    """
    with application() as dependencies:
        successor = revoke_signing_key(kid, dependencies)
    click.echo(f"{kid} is revoked.")
    if successor is not None:
        click.echo(f"{successor.kid} signs now.")


def _key_state(row: SigningKey, now: datetime) -> str:
    key = RingKey.of(row)
    if key.signs(now):
        return "signs" if key.retired_at is None else f"signs until {utc(key.retired_at)}"
    if not key.is_published(now):
        return "withdrawn"
    if key.activated_at > now:
        return f"signs from {utc(key.activated_at)}"
    return "published, no longer signs"
