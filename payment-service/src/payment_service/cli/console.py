"""What the groups of commands share: the application, and how they read options and print lines."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime

import click

from payment_service.app import create_app
from payment_service.controllers.request import EXTENSION
from payment_service.errors import NotFound
from payment_service.processing.dependencies import Dependencies


@contextmanager
def application() -> Iterator[Dependencies]:
    """Open the application for one command.

    Raises:
        click.ClickException: what the operator named does not exist.
    """
    app = create_app()
    with app.app_context():
        try:
            yield app.extensions[EXTENSION]
        except NotFound as exc:
            raise click.ClickException(str(exc)) from exc


def utc(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}Z"


def print_lines(lines: Iterable[str]) -> None:
    for line in list(lines) or ["There are none."]:
        click.echo(line)
