"""The operator's commands."""

import getpass
from datetime import UTC, datetime

import click
from service_kit.clock import utc_now
from service_kit.db import migrations
from service_kit.process.cli import OneOf, OperatorCommands
from service_kit.process.config import Profile

from fraud_service.app import create_app
from fraud_service.commands.put_on_list import PutOnList, put_on_list
from fraud_service.commands.seed_lab_lists import seed_lab_lists
from fraud_service.commands.take_off_list import TakeOffList, take_off_list
from fraud_service.config import Config
from fraud_service.errors import InvalidListValue, ListEntryExists, ListEntryNotFound
from fraud_service.models.list_entry import MAX_NAME, MAX_REASON
from fraud_service.queries.list_entries import list_entries
from fraud_service.values.vocabulary import ListKind, Subject

_KIND = click.argument("kind", type=OneOf(ListKind))
_SUBJECT = click.argument("subject", type=OneOf(Subject))


@click.group(cls=OperatorCommands)
def main() -> None:
    """Operate the fraud-service; settings come from the environment (see README.md)."""


@main.command()
def migrate() -> None:
    """Bring the database to the newest revision."""
    config = Config.from_env()
    migrations.upgrade(config.database_url, config.migrations_dir)
    click.echo("The database is at the newest revision.")


@main.command()
def seed() -> None:
    """Put the cards of the lab's load tests on the allow list; running it again changes nothing."""
    config = Config.from_env()
    if config.profile is Profile.PRODUCTION:
        click.echo("Nothing to seed: the lab's test cards are not welcome in the production profile.")
        return
    with create_app(config).app_context():
        seeded = seed_lab_lists(utc_now())
    for test_bin, is_new in seeded.items():
        click.echo(f"BIN {test_bin} {'is now' if is_new else 'was already'} on the allow list.")


@main.group()
def lists() -> None:
    """Show and change the deny list and the allow list."""


@lists.command()
def show() -> None:
    """Print every entry: kind, subject, value, reason, who, when, until when."""
    now = utc_now()
    with create_app().app_context():
        entries = list_entries()
    for entry in entries:
        until = "without end"
        if entry.expires_at is not None:
            until = (
                f"{'expired' if entry.expires_at <= now else 'until'} {entry.expires_at:%Y-%m-%dT%H:%M:%SZ}"
            )
        click.echo(
            f"{entry.kind:5}  {entry.subject:16}  {entry.value}  ({entry.reason}; "
            f"{entry.created_by}, {entry.created_at:%Y-%m-%dT%H:%M:%SZ}, {until})"
        )
    if not entries:
        click.echo("Both lists are empty.")


@lists.command()
@_KIND
@_SUBJECT
@click.argument("value")
@click.option("--reason", required=True, help="Why; it is stored with every decision that this entry makes.")
@click.option("--by", "created_by", default=getpass.getuser, show_default="you", help="Who decided this.")
@click.option(
    "--expires-at", help="Until when, in ISO 8601, such as 2026-12-31T00:00:00Z (UTC without zone)."
)
def add(
    *, kind: ListKind, subject: Subject, value: str, reason: str, created_by: str, expires_at: str | None
) -> None:
    """Put VALUE on the list KIND. A user is MERCHANT_ID/USER_ID; an IPv6 address stands for its /64."""
    if len(reason) > MAX_REASON or len(created_by) > MAX_NAME:
        raise click.UsageError(f"A reason has at most {MAX_REASON} characters, a name {MAX_NAME}.")
    now = utc_now()
    command = PutOnList(kind, subject, value, reason, created_by, now, _future(expires_at, now))
    with create_app().app_context():
        try:
            listed = put_on_list(command)
        except InvalidListValue as exc:
            raise click.BadParameter(str(exc), param_hint="VALUE") from exc
        except ListEntryExists as exc:
            raise click.ClickException(f"{subject} {value} is on the {kind} list already.") from exc
    click.echo(f"{subject} {listed} is now on the {kind} list.")


@lists.command()
@_KIND
@_SUBJECT
@click.argument("value")
def remove(kind: ListKind, subject: Subject, value: str) -> None:
    """Take VALUE off the list KIND."""
    with create_app().app_context():
        try:
            listed = take_off_list(TakeOffList(kind, subject, value))
        except InvalidListValue as exc:
            raise click.BadParameter(str(exc), param_hint="VALUE") from exc
        except ListEntryNotFound as exc:
            raise click.ClickException(f"{subject} {value} is not on the {kind} list.") from exc
    click.echo(f"{subject} {listed} is no longer on the {kind} list.")


def _future(text: str | None, now: datetime) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as exc:
        raise click.BadParameter("not a moment in ISO 8601", param_hint="--expires-at") from exc
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    if moment <= now:
        raise click.BadParameter("lies in the past", param_hint="--expires-at")
    return moment
