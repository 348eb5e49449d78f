"""``payment-service janitor`` and ``unresolved``: what became of open movements, and what is still open."""

from datetime import timedelta

import click
from service_kit.clock import utc_now

from payment_service.app import create_app
from payment_service.commands.payments.run_janitor import Asked, run_janitor
from payment_service.controllers.current import EXTENSION
from payment_service.queries.unresolved import list_unresolved

_MANY = 1000
_LONGEST_S = 10 * 365 * 24 * 3600


@click.command()
@click.option("--once", is_flag=True, required=True, help="Ask about everything that is due now, then end.")
def janitor(once: bool) -> None:
    """Ask the providers about movements whose outcome is open and due, and say how they stand since."""
    app = create_app()
    with app.app_context():
        asked = run_janitor(app.extensions[EXTENSION], limit=_MANY)
    for one in asked:
        click.echo(_describe_asked(one))
    click.echo(f"{len(asked)} movement(s) were asked about." if asked else "Nothing is due.")


@click.command()
@click.option(
    "--older-than",
    default=0,
    show_default=True,
    type=click.IntRange(min=0, max=_LONGEST_S),
    help="Begun at least so many seconds ago.",
)
@click.option(
    "--limit", default=50, show_default=True, type=click.IntRange(min=1), help="How many, the oldest first."
)
def unresolved(older_than: int, limit: int) -> None:
    """List movements of all merchants whose outcome is open, and for how long."""
    now = utc_now()
    with create_app().app_context():
        found = list_unresolved(now, timedelta(seconds=older_than), limit)
    if not found:
        click.echo("There are none.")
    for one in found:
        movement = one.movement
        age_s = int((now - movement.started_at).total_seconds())
        click.echo(
            f"{movement.public_id}  {movement.state}  for {age_s} s  "
            f"{movement.amount_minor} {movement.currency}  {one.merchant_id}  {one.payment_id} "
            f"{one.payment_status}  asked {movement.ask_count} time(s)"
            + (f"  next {movement.next_ask_at:%Y-%m-%d %H:%M:%S}Z" if movement.next_ask_at else "")
            + (f"  {movement.last_error}" if movement.last_error else "")
        )


def _describe_asked(asked: Asked) -> str:
    if asked.movement_state is None:
        return f"{asked.movement_id}  asking failed (see the log)"
    return f"{asked.movement_id}  {asked.movement_state}  {asked.payment_id}  {asked.payment_status}"
