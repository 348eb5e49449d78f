"""The commands `up` and `demo`."""

import click
from environs.exceptions import EnvError

from run import spawn
from run.preconditions import CannotStart
from run.settings import Ports, RunSettings


@click.group()
def main() -> None:
    """Start Caisse on a developer machine, or show a payment."""


_PORTS = ", ".join(f"{name} ({port})" for name, port in {**Ports().tcp, **Ports().udp}.items())


@main.command(
    help=f"""Start the gateway, the services and their workers, and keep them running until Ctrl-C.

    Settings come from the environment: RUN_DIR (.run), ORDERS_PER_MINUTE (10), GATEWAY_LISTEN_IP
    (127.0.0.1), STORE_MANAGER_URL (http://127.0.0.1:5000), KRAKEND (a krakend binary; else the one on PATH,
    else the emulator), and the ports {_PORTS}. What else the services read (see their README)
    is passed on to them."""
)
@click.option("--end-with-parent", is_flag=True, help="Stop when the program that started this is gone.")
def up(*, end_with_parent: bool) -> None:
    from run.whole import run_everything

    if end_with_parent:
        spawn.end_with_parent()
    try:
        run_everything(_settings())
    except CannotStart as exc:
        raise click.ClickException(str(exc)) from exc
    except PermissionError as exc:
        raise click.ClickException(f"{exc.filename} cannot be written; whose is it?") from exc


@main.command()
def demo() -> None:
    """Play an order's payment step by step: on the running system, or on one started for it."""
    from run.demo import Demo, DemoFailed
    from run.demo_stage import set_stage

    try:
        with set_stage(_settings()) as stage:
            Demo(stage).play()
    except (CannotStart, DemoFailed) as exc:
        raise click.ClickException(str(exc)) from exc


def _settings() -> RunSettings:
    try:
        return RunSettings.from_env()
    except EnvError as exc:
        raise click.ClickException(str(exc)) from exc
