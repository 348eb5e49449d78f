"""``payment-service verify-ledger``, ``verify-events``, ``janitor`` and ``unresolved``."""

import sys
from collections.abc import Sequence
from datetime import datetime, timedelta

import click
from service_kit.clock import utc_now
from service_kit.process.cli import LIST_LIMIT
from service_kit.web.http_client import CallFailed, Dependency

from payment_service.app import create_app, http_client
from payment_service.audit.bank import verify_bank
from payment_service.audit.events import verify_events
from payment_service.audit.findings import Findings, count_attempts, newest_entry, newest_payment
from payment_service.audit.payments import verify_payments
from payment_service.audit.snapshots import verify_snapshots
from payment_service.cli.console import application, print_lines, utc
from payment_service.clients.bank_books import BankBooks
from payment_service.commands.upkeep.run_janitor import Asked, run_janitor
from payment_service.config import Config
from payment_service.providers.bank_simulator import BankSimulator
from payment_service.queries.merchants import list_merchants
from payment_service.queries.unresolved import Unresolved, list_unresolved

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


_MANY = 1000
_SECONDS = click.IntRange(min=0, max=10 * 365 * 24 * 3600)
_SECONDS.name = "number of seconds"


@click.command()
@click.option("--once", is_flag=True, hidden=True, expose_value=False, help="It is never more than once.")
def janitor() -> None:
    """Ask the providers once about movements whose outcome is open and due, and say how they stand since."""
    with application() as dependencies:
        asked = run_janitor(dependencies, limit=_MANY)
    for one in asked:
        click.echo(_describe_asked(one))
    click.echo(f"{len(asked)} movement(s) were asked about." if asked else "Nothing is due.")


@click.command()
@click.option(
    "--older-than", metavar="SECONDS", default=0, show_default=True, type=_SECONDS, help="Begun so long ago."
)
@click.option("--limit", default=50, show_default=True, type=LIST_LIMIT, help="How many, the oldest first.")
def unresolved(older_than: int, limit: int) -> None:
    """List movements of all merchants whose outcome is open, and for how long."""
    now = utc_now()
    with application():
        found = list_unresolved(now, timedelta(seconds=older_than), limit)
    print_lines(_describe_unresolved(one, now) for one in found)


def _describe_unresolved(one: Unresolved, now: datetime) -> str:
    movement = one.movement
    age_s = int((now - movement.started_at).total_seconds())
    return (
        f"{movement.public_id}  {movement.state}  for {age_s} s  "
        f"{movement.amount_minor} {movement.currency}  {one.merchant_id}  {one.payment_id} "
        f"{one.payment_status}  asked {movement.ask_count} time(s)"
        + (f"  next {utc(movement.next_ask_at)}" if movement.next_ask_at else "")
        + (f"  {movement.last_error}" if movement.last_error else "")
    )


def _describe_asked(asked: Asked) -> str:
    if asked.movement_state is None:
        return f"{asked.movement_id}  asking failed (see the log)"
    return f"{asked.movement_id}  {asked.movement_state}  {asked.payment_id}  {asked.payment_status}"
