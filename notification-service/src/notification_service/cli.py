"""Operator commands."""

from collections.abc import Iterator
from contextlib import contextmanager

import click
from service_kit.db import migrations
from service_kit.jobs.queue import JobStatus
from service_kit.jobs.wake import Waker
from service_kit.process.cli import LIST_LIMIT, OperatorCommands

from notification_service.app import create_app
from notification_service.commands.replay_deliveries import replay_deliveries
from notification_service.config import Config
from notification_service.extensions import db
from notification_service.queries.deliveries import list_notifications
from notification_service.queries.events import list_events
from notification_service.values.vocabulary import NotificationStatus

_STATUSES = {
    NotificationStatus.QUEUED.value: JobStatus.PENDING,
    NotificationStatus.SENT.value: JobStatus.DONE,
    NotificationStatus.DEAD.value: JobStatus.DEAD,
}


@click.group(cls=OperatorCommands, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Tells payers what happened to their payment. Settings come from the environment, see the README."""


@main.command()
def migrate() -> None:
    """Bring the database to the newest revision; safe to repeat."""
    config = Config.from_env()
    migrations.upgrade(config.database_url, config.migrations_dir)
    click.echo("the database is up to date")


@main.command()
def worker() -> None:
    """Deliver what was accepted, until SIGTERM or Ctrl-C."""
    from notification_service.worker import run_worker

    run_worker(Config.from_env())


@main.group()
def deliveries() -> None:
    """Look at deliveries, and repeat those that were given up."""


@deliveries.command("list")
@click.option("--status", type=click.Choice(sorted(_STATUSES)), help="Only those that stand so.")
@click.option("--limit", default=50, show_default=True, type=LIST_LIMIT)
def list_(status: str | None, limit: int) -> None:
    """List the newest notifications."""
    _show(_STATUSES[status] if status else None, limit)


@deliveries.command()
@click.option("--limit", default=50, show_default=True, type=LIST_LIMIT)
def dead(limit: int) -> None:
    """List the notifications that were given up."""
    _show(JobStatus.DEAD, limit)


@deliveries.command()
@click.argument("ids", nargs=-1)
@click.option("--all", "is_all", is_flag=True, help="Everything that was given up.")
def replay(ids: tuple[str, ...], is_all: bool) -> None:
    """Try dead letters again: those with these event or notification IDS, or --all."""
    if is_all == bool(ids):
        raise click.UsageError("Give either ids or --all.")
    with _application() as waker:
        count = replay_deliveries(None if is_all else ids)
        waker.wake()
    click.echo(f"{count} put back into the queue")
    if count < len(ids):
        raise click.ClickException(f"{len(ids) - count} of these ids are not given up, or not known.")


@main.group()
def events() -> None:
    """Look at the events of payments that were received."""


@events.command("list")
@click.option("--limit", default=50, show_default=True, type=LIST_LIMIT)
def list_events_(limit: int) -> None:
    """List the newest events."""
    with _application():
        rows = list_events(limit)
    for row in rows:
        when = row.occurred_at.isoformat(timespec="seconds")
        click.echo(f"{row.event_id}  {row.type:<24}  {row.merchant_id}  {row.payment_id}  {when}")
    click.echo(f"{len(rows)} shown", err=True)


def _show(status: JobStatus | None, limit: int) -> None:
    with _application():
        rows = list_notifications(status, limit)
    for row in rows:
        when = row.accepted_at.isoformat(timespec="seconds")
        line = f"{row.event_id}  {row.public_id}  {row.shown_status:<6}  {row.attempts} tries  {when}"
        click.echo(f"{line}  {row.recipient}" + (f"  {row.last_error}" if row.last_error else ""))
    click.echo(f"{len(rows)} shown", err=True)


@contextmanager
def _application() -> Iterator[Waker]:
    """Open the database for a command, and close all of it afterwards."""
    config = Config.from_env()
    waker = Waker(config.worker_wake_address)
    with create_app(config, waker=waker).app_context():
        yield waker
        db.engine.dispose()
