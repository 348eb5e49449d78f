"""Plays one run of sequences after the other, each of a seed of its own, until one fails or time is over."""

import secrets
import sys
import tempfile
import time
from collections import Counter, defaultdict
from pathlib import Path

import click

from tests.model.playing import SEQUENCES, STEPS, play
from tests.model.system_under_test import open_system
from tests.testkit.databases.plugin import ENGINES, SERVERS


@click.command()
@click.option("--minutes", type=float, default=10.0, show_default=True, help="How long; 0 is for ever.")
@click.option("--seed", type=int, help="Play one run of this seed, as an earlier soak printed it.")
@click.option("--sequences", type=int, default=SEQUENCES, show_default=True, help="Sequences in each run.")
@click.option("--steps", type=int, default=STEPS, show_default=True, help="Operations in each sequence.")
@click.option("--engine", type=click.Choice(ENGINES), default="sqlite", show_default=True)
def main(minutes: float, seed: int | None, sequences: int, steps: int, engine: str) -> None:
    """Drive random sequences of every operation, compared with an independent model.

    The seed of each run is printed before it begins; --seed, with the same --sequences and --steps, plays it
    again. The first failure ends the soak with the shortest sequence that still fails, and exit code 1. At
    the end stands how often each operation came to what, and how often which fault struck.
    """
    with tempfile.TemporaryDirectory() as folder:
        if engine == "sqlite":
            _soak(f"sqlite:///{folder}/payments.db", Path(folder), minutes, seed, sequences, steps)
            return
        with SERVERS[engine]() as server:
            _soak(server.create_database("soak"), Path(folder), minutes, seed, sequences, steps)


def _soak(
    database_url: str, folder: Path, minutes: float, seed: int | None, sequences: int, steps: int
) -> None:
    ends_at_s = time.monotonic() + minutes * 60 if minutes else float("inf")
    with open_system(database_url, folder) as system:
        while True:
            chosen = secrets.randbits(32) if seed is None else seed
            began_s = time.monotonic()
            try:
                play(system, chosen, sequences=sequences, steps=steps)
            except Exception as failure:
                _tell(failure, chosen, sequences, steps)
                if isinstance(failure, AssertionError):
                    sys.exit(1)
                raise
            click.echo(f"  fine, after {time.monotonic() - began_s:.0f} s")
            if seed is not None or time.monotonic() >= ends_at_s:
                _show(system.seen)
                break


def _tell(failure: Exception, seed: int, sequences: int, steps: int) -> None:
    click.echo(f"\n{failure}", err=True)
    for note in getattr(failure, "__notes__", ()):
        click.echo(note, err=True)
    again = f"--seed {seed} --sequences {sequences} --steps {steps}"
    click.echo(f'\nAgain: make soak ARGS="{again}"', err=True)


def _show(seen: Counter[str]) -> None:
    """Show how often each operation came to what, and what befell them: what was not met is not proved."""
    came_to: dict[str, Counter[str]] = defaultdict(Counter)
    for what, times in seen.items():
        subject, _, end = what.partition(" → ")
        came_to[subject][end] += times
    click.echo(f"\n{'times':>8}  {'what':34}came to")
    for subject, ends in sorted(came_to.items()):
        told = ", ".join(f"{end} {times}" for end, times in ends.most_common() if end)
        click.echo(f"{ends.total():8d}  {subject:34}{told}")
