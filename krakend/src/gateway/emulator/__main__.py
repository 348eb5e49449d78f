"""`python -m gateway.emulator -c krakend.json`."""

import asyncio
import logging
import re
import sys
from pathlib import Path

import click
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from gateway.emulator.config import Refused, read_config
from gateway.emulator.server import log, serve

_REFUSED = 255  # KrakenD's own exit code for a file that it cannot use

_UNREADABLE = (HttpProcessingError, web.RequestPayloadError)
_LONG_NUMBER = re.compile(r"\d(?:(?:%20|[ .+_-]){0,2}\d){12,}")


@click.command()
@click.option(
    "-c", "--config", "path", required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option("--quiet", is_flag=True, help="No line per request.")
def main(path: Path, quiet: bool) -> None:
    """Serve a rendered krakend.json as KrakenD would: for development and tests, never for production."""
    logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    for handler in logging.getLogger().handlers:
        handler.addFilter(_masked)
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


def _masked(record: logging.LogRecord) -> bool:
    """Mask what may be a card number (13 digits or more) in whatever anybody sent; every line passes."""
    record.msg, record.args = _LONG_NUMBER.sub("*" * 13, record.getMessage()), None
    if record.exc_info and isinstance(record.exc_info[1], _UNREADABLE):
        record.exc_info = None  # the client's fault; what it sent stands in the trace
    elif record.exc_info:
        record.exc_text = _LONG_NUMBER.sub("*" * 13, logging.Formatter().formatException(record.exc_info))
    return True


if __name__ == "__main__":
    main()
