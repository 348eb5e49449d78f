"""``payment-service verify-ledger`` and ``verify-events``: is it as it was written, and does it add up?"""

import sys
from collections.abc import Sequence

import click
from service_kit.clock import utc_now
from service_kit.http_client import CallFailed, Dependency

from payment_service.app import create_app, http_client
from payment_service.clients.bank_books import BankBooks
from payment_service.config import Config
from payment_service.providers.bank_simulator import BankSimulator
from payment_service.queries.books.findings import Findings
from payment_service.queries.books.verify_bank import verify_bank
from payment_service.queries.books.verify_payments import verify_payments
from payment_service.queries.books.verify_sizes import count_attempts, newest_entry, newest_payment
from payment_service.queries.books.verify_snapshots import verify_snapshots
from payment_service.queries.merchants import list_merchants
from payment_service.queries.verify_events import verify_events

# Adding up a large bank takes its time, and nobody waits for the answer to go on paying.
BANK_PATIENCE_S = 120.0


@click.command("verify-ledger")
@click.option("--without-bank", is_flag=True, help="Compare our own tables only.")
def verify_ledger(without_bank: bool) -> None:
    """Add everything up again and compare: entries, captures, refunds, payments, snapshots, the bank.

    Exits with 1 when anything differs, and names each difference. What is still in flight is listed apart:
    movements whose outcome is open, and late approvals that are not given back yet.
    """
    config = Config.from_env()
    began_at = utc_now()
    findings = Findings()
    with create_app(config).app_context():
        with _progress(newest_payment(), "payments") as bar:
            verify_payments(findings, bar.update)
        with _progress(newest_entry(), "entries") as bar:
            verify_snapshots(findings, bar.update)
        if not without_bank:
            bank = BankBooks(http_client(_bank(config)))
            for merchant in list_merchants():
                with _progress(count_attempts(merchant.id), f"bank: {merchant.public_id}") as bar:
                    try:
                        verify_bank(findings, merchant, bank, BankSimulator.name, began_at, bar.update)
                    except CallFailed as exc:
                        raise click.ClickException(f"The bank's books cannot be read: {exc}") from exc
    for note in findings.notes:
        click.echo(note)
    if findings.in_flight:
        click.echo(f"in flight: {len(findings.in_flight)}")
    for line in findings.in_flight:
        click.echo(f"  {line}")
    _conclude(findings.differences, "The books add up.")


@click.command("verify-events")
def verify_events_command() -> None:
    """Compute every seal of every payment's events again; names what was changed, removed or moved.

    Exits with 1 when anything is not as it was written.
    """
    config = Config.from_env()
    with create_app(config).app_context(), _progress(newest_payment(), "payments") as bar:
        differences = list(verify_events(config.event_keys, bar.update))
    _conclude(differences, "Every event is as it was written.")


def _progress(length: int, label: str) -> "click._termui_impl.ProgressBar[int]":
    return click.progressbar(length=length, label=label, file=sys.stderr)


def _conclude(differences: Sequence[str], well: str) -> None:
    for difference in differences:
        click.echo(difference, err=True)
    if differences:
        click.echo(f"{len(differences)} difference(s).", err=True)
        sys.exit(1)
    click.echo(well)


def _bank(config: Config) -> Dependency:
    return Dependency("bank-simulator", config.bank_url, BANK_PATIENCE_S, token=config.bank_token)
