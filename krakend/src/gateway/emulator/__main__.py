"""`python -m gateway.emulator -c krakend.json`."""

import asyncio
import logging
import sys
from pathlib import Path

import click

from gateway.emulator.config import Refused, read_config
from gateway.emulator.server import log, serve

_REFUSED = 255  # KrakenD's own exit code for a file that it cannot use


@click.command()
@click.option(
    "-c", "--config", "path", required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option("--quiet", is_flag=True, help="No line per request.")
def main(path: Path, quiet: bool) -> None:
    """Serve a rendered krakend.json as KrakenD would: for development and tests, never for production."""
    logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    try:
        config = read_config(path)
    except Refused as exc:
        click.echo(f"KrakenD emulator: {path}: refused: {exc}", err=True)
        sys.exit(_REFUSED)
    log.info("KrakenD emulator, for development and tests, never for production: serving %s", path)
    if quiet:
        log.setLevel(logging.WARNING)
    try:
        asyncio.run(serve(config))
    except OSError as exc:
        click.echo(f"KrakenD emulator: cannot listen on port {config.port}: {exc.strerror}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
