"""The commands `render`, `check` and `run`."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from gateway.launch import choose_gateway, gateway_environment
from gateway.render import render_text
from gateway.rules import violations
from gateway.schema import SchemaNotFound, schema_errors
from gateway.settings import InvalidSetting, Settings

COMMITTED = Path(__file__).resolve().parents[2] / "krakend.json"
_DEFAULT = Settings()
# Every member of the settings: the variable that sets it, and its help.
_SETTINGS = {
    "payment_service": ("GATEWAY_PAYMENT_SERVICE", "Address of payment-service."),
    "store_manager": ("GATEWAY_STORE_MANAGER", "Address of Store Manager."),
    "port": ("GATEWAY_PORT", "Port to listen on."),
    "listen_ip": ("GATEWAY_LISTEN_IP", "IP to listen on (default: all interfaces)."),
    "orders_per_minute": ("ORDERS_PER_MINUTE", "Limit of POST …/orders, for each prefix."),
    "timeout": ("GATEWAY_TIMEOUT", "Patience of most routes."),
    "provider_timeout": ("GATEWAY_PROVIDER_TIMEOUT", "Patience of routes that may call a provider."),
    "slow_timeout": ("GATEWAY_SLOW_TIMEOUT", "Patience of Store Manager's …/test/slow."),
}


def _setting_options(command: Callable[..., None]) -> Callable[..., None]:
    for name, (variable, text) in reversed(_SETTINGS.items()):
        option = f"--{name.replace('_', '-')}"
        command = click.option(option, envvar=variable, default=getattr(_DEFAULT, name), help=text)(command)
    return command


@click.group()
def main() -> None:
    """Render, check and run the configuration of Caisse's gateway."""


@main.command()
@click.option("--output", type=click.Path(path_type=Path), help="File to write (default: standard output).")
@_setting_options
def render(*, output: Path | None, **given: Any) -> None:
    """Write krakend.json; without options it is the one for Compose."""
    try:
        text = render_text(Settings(**{**given, "listen_ip": given["listen_ip"] or None}))
    except InvalidSetting as exc:
        raise click.ClickException(str(exc)) from exc
    if output is None:
        click.echo(text, nl=False)
        return
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(text)
    click.echo(f"wrote {output}")


@main.command()
@click.argument("files", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--schema-dir",
    envvar="KRAKEND_SCHEMA_DIR",
    type=click.Path(path_type=Path),
    help="Folder of KrakenD's published schema, one version; without it that check is skipped.",
)
def check(files: tuple[Path, ...], schema_dir: Path | None) -> None:
    """Check FILES (rules and schema); without any, the committed file, which must also be current."""
    faults: list[str] = []
    if not files and COMMITTED.read_text() != render_text(_DEFAULT):
        faults.append(f"{COMMITTED.name} is not current: python -m gateway render --output {COMMITTED}")
    for file in files or (COMMITTED,):
        config = json.loads(file.read_text())
        faults += [f"{file.name}: {fault}" for fault in violations(config)]
        if schema_dir is not None:
            try:
                faults += [f"{file.name}: schema: {fault}" for fault in schema_errors(config, schema_dir)]
            except SchemaNotFound as exc:
                raise click.ClickException(f"KRAKEND_SCHEMA_DIR: {exc}") from exc
    for fault in faults:
        click.echo(fault, err=True)
    if schema_dir is None:
        click.echo("schema: skipped (KRAKEND_SCHEMA_DIR is not set)")
    if faults:
        raise click.ClickException(f"{len(faults)} fault(s)")
    click.echo("gateway configuration: good")


@main.command()
@click.option("-c", "--config", required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
def run(config: Path) -> None:
    """Become the gateway: $KRAKEND, else `krakend` on PATH, else the emulator. Says which."""
    gateway = choose_gateway(config)
    click.echo(f"gateway: {gateway.description}")
    try:
        os.execvpe(gateway.command[0], gateway.command, gateway_environment())  # noqa: S606  it is the point
    except OSError as exc:
        raise click.ClickException(f"cannot start {gateway.command[0]}: {exc.strerror}") from exc
