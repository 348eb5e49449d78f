"""``payment-service outbox`` and ``webhooks``: messages to others, and events of providers."""

from collections.abc import Callable, Collection

import click
from service_kit.jobs.queue import JobStatus
from service_kit.process.cli import LIST_LIMIT, ROW_ID, OneOf

from payment_service.cli.console import application, print_lines, utc
from payment_service.commands.upkeep.replay import replay_inbox, replay_messages
from payment_service.models.message import InboxMessage, OutboxMessage
from payment_service.models.position import Follower
from payment_service.queries.messages import find_inbox_message, list_followers, list_inbox, list_messages
from payment_service.values.statuses import InboxOutcome

_limit = click.option(
    "--limit", default=20, show_default=True, type=LIST_LIMIT, help="How many, newest first."
)


@click.group()
def outbox() -> None:
    """Look at what others are still to be told, and send it again."""


@outbox.command("list")
@click.option("--status", type=OneOf(JobStatus), help="Only these; all without it.")
@_limit
def list_outbox(status: JobStatus | None, limit: int) -> None:
    """List messages, newest first."""
    with application():
        print_lines(_message_line(*listed) for listed in list_messages(status, limit))


@outbox.command("dead")
@_limit
def list_dead(limit: int) -> None:
    """List dead letters: messages that were given up."""
    with application():
        print_lines(_message_line(*listed) for listed in list_messages(JobStatus.DEAD, limit))


@outbox.command("replay")
@click.argument("message_id", type=ROW_ID, nargs=-1)
@click.option("--all-dead", is_flag=True, help="Every dead letter.")
def replay_outbox(message_id: tuple[int, ...], all_dead: bool) -> None:
    """Send messages again now, by the ids that `list` shows. What was delivered is not sent twice."""
    _replay(replay_messages, message_id, all_dead, noun="message", action="sent", kept="delivered")


@outbox.command("followers")
def show_followers() -> None:
    """Show how far our other services were told of the events, and what holds one up."""
    with application():
        print_lines(_follower_line(*listed) for listed in list_followers())


def _follower_line(follower: Follower, behind: int) -> str:
    line = f"{follower.name}  position {follower.position}  behind {behind}"
    if follower.failing_since is None:
        return line
    return f"{line}  tries {follower.tries}  since {utc(follower.failing_since)}  {follower.last_error}"


def _message_line(message: OutboxMessage, order_id: str) -> str:
    # Not the payload: it may hold the payer's address.
    return (
        f"{message.id}  {message.queue}  {message.event_id}  {message.payment_id}  order {order_id or '-'}  "
        f"{message.status}  tries {message.attempts}  written {utc(message.created_at)}{_progress(message)}"
    )


@click.group()
def webhooks() -> None:
    """Look at what providers told us, and settle it again."""


@webhooks.command("list")
@click.option("--status", type=OneOf(JobStatus), help="Only these.")
@click.option("--outcome", type=OneOf(InboxOutcome), help="Only these.")
@_limit
def list_events(status: JobStatus | None, outcome: InboxOutcome | None, limit: int) -> None:
    """List events, newest first; those that are dead, or were not applied, wait for a person."""
    with application():
        print_lines(map(_event_line, list_inbox(status, outcome, limit)))


@webhooks.command("show")
@click.argument("message_id", type=ROW_ID)
def show_event(message_id: int) -> None:
    """Show the body of one event, as it was signed."""
    with application():
        message = find_inbox_message(message_id)
    if message is None:
        raise click.ClickException("There is no such event.")
    click.echo(_event_line(message))
    click.echo(message.body)


@webhooks.command("replay")
@click.argument("message_id", type=ROW_ID, nargs=-1)
@click.option("--all-dead", is_flag=True, help="Every event that was given up.")
def replay_events(message_id: tuple[int, ...], all_dead: bool) -> None:
    """Settle events again now, by the ids that `list` shows. What was applied is not done twice."""
    _replay(replay_inbox, message_id, all_dead, noun="event", action="settled", kept="applied")


def _event_line(message: InboxMessage) -> str:
    return (
        f"{message.id}  {message.queue}  {message.event_id}  {message.status}  {message.outcome or '-'}  "
        f"tries {message.attempts}  received {utc(message.created_at)}{_progress(message)}"
    )


def _progress(message: OutboxMessage | InboxMessage) -> str:
    waiting = message.status == JobStatus.PENDING
    return (f"  next {utc(message.next_attempt_at)}" if waiting else "") + (
        f"  {message.last_error}" if message.last_error else ""
    )


def _replay(
    replay: Callable[[Collection[int] | None], int],
    ids: Collection[int],
    all_dead: bool,
    *,
    noun: str,
    action: str,
    kept: str,
) -> None:
    if bool(ids) == all_dead:
        raise click.UsageError(f"Give {noun} ids, or --all-dead.")
    with application() as dependencies:
        count = replay(None if all_dead else ids)
        dependencies.waker.wake()
    click.echo(f"{count} {noun}(s) will be {action} again now.")
    if count < len(set(ids)):
        click.echo(f"The others do not exist, or were {kept}.", err=True)
