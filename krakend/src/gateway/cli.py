"""The commands `render`, `check` and `run`."""

import json
import os
from pathlib import Path

import click

from gateway.launch import choose_gateway, gateway_environment
from gateway.render import render_text
from gateway.rules import violations
from gateway.schema import SchemaNotFound, schema_errors
from gateway.settings import InvalidSetting, Settings

COMMITTED = Path(__file__).resolve().parents[2] / "krakend.json"
_DEFAULT = Settings()


@click.group()
def main() -> None:
    """Render, check and run the configuration of Caisse's gateway."""


@main.command()
@click.option("--output", type=click.Path(path_type=Path), help="File to write (default: standard output).")
@click.option(
    "--payment-service",
    envvar="GATEWAY_PAYMENT_SERVICE",
    default=_DEFAULT.payment_service,
    help="Address of payment-service.",
)
@click.option(
    "--store-manager",
    envvar="GATEWAY_STORE_MANAGER",
    default=_DEFAULT.store_manager,
    help="Address of Store Manager.",
)
@click.option("--port", envvar="GATEWAY_PORT", default=_DEFAULT.port, help="Port to listen on.")
@click.option("--listen-ip", envvar="GATEWAY_LISTEN_IP", help="IP to listen on (default: all interfaces).")
@click.option(
    "--orders-per-minute",
    envvar="ORDERS_PER_MINUTE",
    default=_DEFAULT.orders_per_minute,
    help="Limit of POST …/orders, for each prefix.",
)
@click.option(
    "--timeout", envvar="GATEWAY_TIMEOUT", default=_DEFAULT.timeout, help="Patience of most routes."
)
@click.option(
    "--provider-timeout",
    envvar="GATEWAY_PROVIDER_TIMEOUT",
    default=_DEFAULT.provider_timeout,
    help="Patience of routes that may call a provider.",
)
@click.option(
    "--slow-timeout",
    envvar="GATEWAY_SLOW_TIMEOUT",
    default=_DEFAULT.slow_timeout,
    help="Patience of Store Manager's …/test/slow.",
)
def render(
    *,
    output: Path | None,
    payment_service: str,
    store_manager: str,
    port: int,
    listen_ip: str | None,
    orders_per_minute: int,
    timeout: str,
    provider_timeout: str,
    slow_timeout: str,
) -> None:
    """Write krakend.json; without options it is the one for Compose."""
    try:
        settings = Settings(
            payment_service,
            store_manager,
            port,
            listen_ip or None,
            orders_per_minute,
            timeout,
            provider_timeout,
            slow_timeout,
        )
    except InvalidSetting as exc:
        raise click.ClickException(str(exc)) from exc
    text = render_text(settings)
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
