"""The help of every command and of all its subcommands."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.surface.checkout import SERVICES, Checkout

_MODULES = ("run", "gateway", "gateway.emulator")
# A service takes seconds to start, so all of its help comes from one process: the console script's own click
# command is asked for each text that `--help` would print.
_WALK = """
import sys
from importlib.metadata import entry_points

import click

def show(command, name, parent):
    context = click.Context(command, info_name=name, parent=parent)
    print(f"$ {context.command_path} --help\\n{command.get_help(context)}\\n")
    if isinstance(command, click.Group):
        for inner in command.list_commands(context):
            show(command.get_command(context, inner), inner, context)

(script,) = entry_points(group="console_scripts", name=sys.argv[1])
show(script.load(), script.name, None)
"""


def write_helps(checkout: Checkout, output: Path) -> None:
    """Write a file per command, with all its subcommands."""
    output.mkdir(parents=True)
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        texts = pool.map(lambda name: checkout.run("python", arguments=("-c", _WALK, name)), SERVICES)
        for service, text in zip(SERVICES, texts, strict=True):
            (output / f"{service}.txt").write_text(text)
        walks = pool.map(lambda name: "\n".join(_helps(checkout, f"python -m {name}")), _MODULES)
        for module, text in zip(_MODULES, walks, strict=True):
            (output / f"{module}.txt").write_text(text)


def _helps(checkout: Checkout, command: str) -> Iterator[str]:
    text = checkout.run(f"{command} --help")
    yield f"$ {command} --help\n{text}"
    for name in _subcommands(text):
        yield from _helps(checkout, f"{command} {name}")


def _subcommands(text: str) -> list[str]:
    """Read the names off click's list of commands; a description that goes on stands further right."""
    lines = text.partition("\nCommands:\n")[2].splitlines()
    return [line.split()[0] for line in lines if line.startswith("  ") and not line.startswith("   ")]
