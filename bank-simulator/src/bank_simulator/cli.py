"""The operator's commands."""

import sys
from collections.abc import Sequence
from itertools import chain

import click
from service_kit.db import migrations
from service_kit.process.cli import OperatorCommands

from bank_simulator.app import create_app
from bank_simulator.commands.issue_cards import issue_cards
from bank_simulator.config import Config
from bank_simulator.queries.verify_books import verify_books
from bank_simulator.values.issued_cards import TEST_CARDS, TYPED_CVV, TYPED_EXPIRY, TestCard, bench_cards


@click.group(cls=OperatorCommands)
def main() -> None:
    """Play the outside world: card network and banks; settings come from the environment (see README.md)."""


@main.command()
def migrate() -> None:
    """Bring the database to the newest revision."""
    config = Config.from_env()
    migrations.upgrade(config.database_url, config.migrations_dir)
    click.echo("The database is up to date.")


@main.command()
def seed() -> None:
    """Issue the test cards; running it again changes nothing."""
    config = Config.from_env()
    with create_app(config).app_context():
        count = issue_cards(chain(TEST_CARDS, bench_cards()), config.card_key)
    click.echo(f"{count} test cards are issued.")


@main.command()
@click.option("--bench", is_flag=True, help="The 1000 numbers for load tests, one a line.")
def cards(bench: bool) -> None:
    """Print the test cards and what becomes of them."""
    if bench:
        click.echo("\n".join(card.number for card in bench_cards()))
        return
    click.echo(card_table(TEST_CARDS))


@main.command()
def verify() -> None:
    """Recompute every balance and answer from the ledger; exit 1 and name what differs."""
    with create_app(Config.from_env()).app_context():
        report = verify_books()
    for difference in report.differences:
        click.echo(difference, err=True)
    if report.differences:
        click.echo(f"{len(report.differences)} differences.", err=True)
        sys.exit(1)
    click.echo(f"{report.requests} requests and {report.entries} entries: the books add up.")


def card_table(table: Sequence[TestCard]) -> str:
    """Return the cards as a Markdown table, as it stands in the README."""
    rows = [("number", "expiry", "CVV", "bank", "what becomes of it")]
    rows += [(card.number, TYPED_EXPIRY, TYPED_CVV, card.bank.value, card.outcome) for card in table]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in rows
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)
