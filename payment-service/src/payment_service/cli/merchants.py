"""``payment-service merchants``: who takes payments through us."""

from collections.abc import Callable

import click

from payment_service.app import create_app
from payment_service.commands.access.create_merchant import CreateMerchant, create_merchant
from payment_service.errors import MerchantNotFound
from payment_service.models.merchants.merchant import Merchant
from payment_service.queries.merchants import find_merchant, list_merchants
from payment_service.values.money import is_currency


def text_up_to(length: int) -> Callable[[click.Context, click.Parameter, str | None], str | None]:
    """Return a check that an option's text fits its column, and is not blank where it must be given."""

    def check(_ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
        if param.required and not (value or "").strip():
            raise click.BadParameter("It is empty.")
        if value is not None and len(value) > length:
            raise click.BadParameter(f"It is longer than {length} characters.")
        return value

    return check


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
    lines = "\n".join(address)
    if not lines.strip():
        raise click.UsageError("The address is empty.")
    if len(lines) > 500:
        raise click.UsageError("The address is longer than 500 characters.")
    command = CreateMerchant(name, legal_name or name, lines, tax_number, locale, currency)
    with create_app().app_context():
        click.echo(create_merchant(command).public_id)


@merchants.command("list")
def list_merchants_command() -> None:
    """List merchants, oldest first."""
    with create_app().app_context():
        for merchant in list_merchants():
            click.echo(
                f"{merchant.public_id}  {merchant.name}  {merchant.locale}  {merchant.currency}  "
                f"since {merchant.created_at:%Y-%m-%d}"
            )


@merchants.command("show")
@click.argument("merchant_id")
def show_merchant(merchant_id: str) -> None:
    """Show everything that is kept about a merchant, by the id that `list` shows."""
    with create_app().app_context():
        try:
            merchant = find_merchant(merchant_id)
        except MerchantNotFound as exc:
            raise click.ClickException(str(exc)) from exc
    for label, value in _merchant_rows(merchant):
        click.echo(f"{label:<11} {value}")


def _merchant_rows(merchant: Merchant) -> list[tuple[str, str]]:
    return [
        ("id", merchant.public_id),
        ("name", merchant.name),
        ("legal name", merchant.legal_name),
        *(
            ("address" if not number else "", line)
            for number, line in enumerate(merchant.address.split("\n"))
        ),
        ("tax number", merchant.tax_number),
        ("locale", merchant.locale),
        ("currency", merchant.currency),
        ("since", f"{merchant.created_at:%Y-%m-%d %H:%M:%S}Z"),
    ]
