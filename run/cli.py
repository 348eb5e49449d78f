"""The commands `up` and `demo`."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import click
from environs.exceptions import EnvError

from run.demo import DemoFailed
from run.demo import demo as run_demo
from run.folder import CannotStart
from run.settings import Ports, RunSettings
from run.start import start


@click.group()
def main() -> None:
    """Start Caisse on a developer machine, or show a payment."""
    # Data, logs and receipts are nobody else's; what we start inherits this.
    os.umask(0o077)


@contextmanager
def _explained_failures() -> Iterator[None]:
    try:
        yield
    except (CannotStart, DemoFailed, EnvError) as exc:
        raise click.ClickException(str(exc)) from exc
    except PermissionError as exc:
        raise click.ClickException(f"{exc.filename} cannot be written; whose is it?") from exc
    except OSError as exc:
        raise click.ClickException(f"{exc.filename or 'Starting'}: {exc.strerror}.") from exc


_PORTS = ", ".join(f"{name} ({port})" for name, port in Ports().by_setting().items())


@main.command(
    help=f"""Start the gateway, the services and their workers, and keep them running until Ctrl-C.

    Settings come from the environment: RUN_DIR (.run), ORDERS_PER_MINUTE (10), GATEWAY_LISTEN_IP
    (127.0.0.1), STORE_MANAGER_URL (http://127.0.0.1:5000), KRAKEND (a krakend binary; else the one on PATH,
    else the emulator), and the ports {_PORTS}. What else the services read (see their README)
    is passed on to them."""
)
@click.option("--end-with-parent", is_flag=True, help="Stop when the program that started this is gone.")
@_explained_failures()
def up(*, end_with_parent: bool) -> None:
    start(RunSettings.from_env(), end_with=os.getppid() if end_with_parent else None)


@main.command()
@_explained_failures()
def demo() -> None:
    """Show an order's payment step by step: on the running system, or on one started for it."""
    run_demo(RunSettings.from_env())
