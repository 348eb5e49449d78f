"""The command lines of the services: what an operator can put right is said in one sentence."""

from enum import StrEnum
from typing import Any, TypeVar

import click
from environs import EnvError
from sqlalchemy.exc import DBAPIError

from service_kit.db.database import CommitOutcomeUnknown, DatabaseMissing, DatabaseUnavailable
from service_kit.db.migrations import UnknownRevision
from service_kit.process.config import ConfigurationError

E = TypeVar("E", bound=StrEnum)

# The number of a row, and how many rows a list may show.
ROW_ID = click.IntRange(1, 2**63 - 1)
LIST_LIMIT = click.IntRange(1, 10_000)


class OneOf(click.Choice[E]):
    """A choice of the values of an enum; the command is given the member."""

    def normalize_choice(self, choice: object, ctx: click.Context | None) -> str:
        return str(choice)


class OperatorCommands(click.Group):
    """A click group whose commands end with a message, not with a stack trace, where an operator can help."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command.

        Raises:
            click.ClickException: a setting is wrong, or the database is away, not migrated or of another
                version.
        """
        try:
            return super().invoke(ctx)
        except (ConfigurationError, EnvError, UnknownRevision, DatabaseMissing) as exc:
            raise click.ClickException(str(exc)) from exc
        except (DatabaseUnavailable, CommitOutcomeUnknown) as exc:
            raise click.ClickException(f"The database did not answer: {exc}") from exc
        except DBAPIError as exc:
            raise click.ClickException(
                f"The database refused ({type(exc.orig).__name__}). "
                "Is DATABASE_URL right, and was `migrate` run?"
            ) from exc
