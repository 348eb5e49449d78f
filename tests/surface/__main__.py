"""`python -m tests.surface CHECKOUT OUTPUT_DIR`; the package says what for."""

import time
from pathlib import Path

import click

from tests.surface import __doc__ as explanation
from tests.surface.checkout import Checkout, SurfaceError
from tests.surface.dump import dump


@click.command(help=f"\b\n{explanation}")
@click.argument("checkout", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("output", type=click.Path(file_okay=False, path_type=Path))
def main(checkout: Path, output: Path) -> None:
    if output.exists() and any(output.iterdir()):
        raise click.ClickException(f"{output} is not empty")
    started_s = time.monotonic()
    output.mkdir(parents=True, exist_ok=True)
    try:
        notes = dump(Checkout(checkout), output)
    except SurfaceError as exc:
        raise click.ClickException(str(exc)) from exc
    for note in notes:
        click.echo(note)
    click.echo(f"{output}: written in {time.monotonic() - started_s:.0f} s")


main(prog_name="python -m tests.surface")
