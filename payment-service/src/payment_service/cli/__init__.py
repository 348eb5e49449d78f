"""Operator commands: ``payment-service --help``."""

from pathlib import Path

import click
from service_kit.db import migrations
from service_kit.process.cli import OperatorCommands
from service_kit.process.config import Profile

from payment_service.cli.access import api_clients, keep_lab_client, merchants, signing_keys
from payment_service.cli.audit import janitor, unresolved, verify_events_command, verify_ledger
from payment_service.cli.console import application
from payment_service.cli.messages import outbox, webhooks
from payment_service.cli.vault import vault
from payment_service.commands.access.rotate_signing_keys import ensure_signing_key
from payment_service.commands.upkeep.seed_lab import seed_lab
from payment_service.config import Config
from payment_service.worker import run_worker


@click.group(cls=OperatorCommands)
def main() -> None:
    """Run and look after the payment-service; settings come from the environment (see README.md)."""


COMMANDS = (
    outbox,
    webhooks,
    merchants,
    api_clients,
    signing_keys,
    vault,
    janitor,
    unresolved,
    verify_ledger,
    verify_events_command,
)
for command in COMMANDS:
    main.add_command(command)


@main.command()
def migrate() -> None:
    """Bring the database to the newest revision."""
    config = Config.from_env()
    migrations.upgrade(config.database_url, config.migrations_dir)
    click.echo("The database is up to date.")


@main.command()
@click.option(
    "--lab-client-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Keep credentials of the lab's API client that work in this file, readable by its owner only.",
)
def seed(lab_client_file: Path | None) -> None:
    """Make the first signing key and store the lab's merchant and payments 1 and 2, unless they are there.

    In production it is the signing key only.
    """
    with application() as dependencies:
        ensure_signing_key(dependencies)
        if dependencies.config.profile is Profile.PRODUCTION:
            click.echo("Production has no lab data.")
            return
        stored = seed_lab(dependencies)
        click.echo("Seeded the lab's data." if stored else "The lab's data is there already.")
        if lab_client_file is not None:
            keep_lab_client(lab_client_file, dependencies)


@main.command()
def worker() -> None:
    """Deliver the outbox, ask about open attempts, expire payments; until it is told to stop."""
    run_worker(Config.from_env())
