"""``payment-service webhooks``: what providers told us of their own accord."""

import click
from service_kit.leased_queue import JobStatus

from payment_service.app import create_app
from payment_service.commands.webhooks.replay_inbox import replay_inbox
from payment_service.controllers.current import EXTENSION
from payment_service.models.webhooks.inbox_message import InboxMessage
from payment_service.queries.inbox import find_inbox_message, list_inbox
from payment_service.values.statuses import InboxOutcome


@click.group()
def webhooks() -> None:
    """Look at what providers told us, and settle it again."""


@webhooks.command("list")
@click.option("--status", type=click.Choice([status.value for status in JobStatus]), help="Only these.")
@click.option("--outcome", type=click.Choice([outcome.value for outcome in InboxOutcome]), help="Only these.")
@click.option(
    "--limit", default=20, show_default=True, type=click.IntRange(min=1), help="How many, newest first."
)
def list_events(status: str | None, outcome: str | None, limit: int) -> None:
    """List events, newest first; those that are dead, or were not applied, wait for a person."""
    with create_app().app_context():
        messages = list_inbox(
            JobStatus(status) if status else None, InboxOutcome(outcome) if outcome else None, limit
        )
    if not messages:
        click.echo("There are none.")
    for message in messages:
        click.echo(_event_line(message))


@webhooks.command("show")
@click.argument("message_id", type=int)
def show_event(message_id: int) -> None:
    """Show the body of one event, as it was signed."""
    with create_app().app_context():
        message = find_inbox_message(message_id)
    if message is None:
        raise click.ClickException("There is no such event.")
    click.echo(_event_line(message))
    click.echo(message.body)


@webhooks.command("replay")
@click.argument("message_id", type=int, nargs=-1)
@click.option("--all-dead", is_flag=True, help="Every event that was given up.")
def replay_events(message_id: tuple[int, ...], all_dead: bool) -> None:
    """Settle events again now, by the ids that `list` shows. What was applied is not done twice."""
    if bool(message_id) == all_dead:
        raise click.UsageError("Give event ids, or --all-dead.")
    app = create_app()
    with app.app_context():
        count = replay_inbox(None if all_dead else list(message_id))
        app.extensions[EXTENSION].waker.wake()
    click.echo(f"{count} event(s) will be settled again now.")
    if count < len(set(message_id)):
        click.echo("The others do not exist, or were applied.", err=True)


def _event_line(message: InboxMessage) -> str:
    waiting = message.status == JobStatus.PENDING
    return (
        f"{message.id}  {message.queue}  {message.event_id}  {message.status}  {message.outcome or '-'}  "
        f"tries {message.attempts}  received {message.created_at:%Y-%m-%d %H:%M:%S}Z"
        + (f"  next {message.next_attempt_at:%Y-%m-%d %H:%M:%S}Z" if waiting else "")
        + (f"  {message.last_error}" if message.last_error else "")
    )
