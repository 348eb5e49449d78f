"""``payment-service outbox``: what others are still to be told."""

from collections.abc import Sequence

import click
from service_kit.jobs.queue import JobStatus

from payment_service.app import create_app
from payment_service.commands.upkeep.replay import replay_inbox, replay_messages
from payment_service.controllers.request import EXTENSION
from payment_service.models.message import InboxMessage, OutboxMessage
from payment_service.queries.messages import find_inbox_message, list_inbox, list_messages
from payment_service.values.statuses import InboxOutcome


@click.group()
def outbox() -> None:
    """Look at what others are still to be told, and send it again."""


@outbox.command("list")
@click.option(
    "--status",
    type=click.Choice([status.value for status in JobStatus]),
    help="Only these; all without it.",
)
@click.option(
    "--limit", default=20, show_default=True, type=click.IntRange(min=1), help="How many, newest first."
)
def list_outbox(status: str | None, limit: int) -> None:
    """List messages, newest first."""
    with create_app().app_context():
        _print_messages(list_messages(JobStatus(status) if status else None, limit))


@outbox.command("dead")
@click.option(
    "--limit", default=20, show_default=True, type=click.IntRange(min=1), help="How many, newest first."
)
def list_dead(limit: int) -> None:
    """List dead letters: messages that were given up."""
    with create_app().app_context():
        _print_messages(list_messages(JobStatus.DEAD, limit))


@outbox.command("replay")
@click.argument("message_id", type=int, nargs=-1)
@click.option("--all-dead", is_flag=True, help="Every dead letter.")
def replay_outbox(message_id: tuple[int, ...], all_dead: bool) -> None:
    """Send messages again now, by the ids that `list` shows. What was delivered is not sent twice."""
    if bool(message_id) == all_dead:
        raise click.UsageError("Give message ids, or --all-dead.")
    app = create_app()
    with app.app_context():
        count = replay_messages(None if all_dead else list(message_id))
        app.extensions[EXTENSION].waker.wake()
    click.echo(f"{count} message(s) will be sent again now.")
    if count < len(set(message_id)):
        click.echo("The others do not exist, or were delivered.", err=True)


def _print_messages(messages: Sequence[OutboxMessage]) -> None:
    if not messages:
        click.echo("There are none.")
    for message in messages:
        # Not the payload: it may hold the payer's address.
        waiting = message.status == JobStatus.PENDING
        click.echo(
            f"{message.id}  {message.queue}  {message.event_id}  {message.status}  tries {message.attempts}  "
            f"written {message.created_at:%Y-%m-%d %H:%M:%S}Z"
            + (f"  next {message.next_attempt_at:%Y-%m-%d %H:%M:%S}Z" if waiting else "")
            + (f"  {message.last_error}" if message.last_error else "")
        )


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
