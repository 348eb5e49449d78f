"""What a person sees: one prefix per process, in colour on a terminal."""

import os
from collections.abc import Iterable
from pathlib import Path

from rich.console import Console
from rich.text import Text

_COLOURS = ("cyan", "magenta", "green", "blue", "yellow", "bright_cyan", "bright_magenta", "bright_green")


class Terminal:
    """Prints lines that begin with the name of the process they are about."""

    def __init__(self, names: Iterable[str]) -> None:
        self._console = Console(highlight=False, soft_wrap=True)
        self._colours = {name: _COLOURS[number % len(_COLOURS)] for number, name in enumerate(names)}
        self._width = max((len(name) for name in self._colours), default=0)

    def about(self, name: str, line: str, style: str = "") -> None:
        """Print a line about one process."""
        prefix = Text(f"{name:<{self._width}} │ ", style=self._colours.get(name, ""))
        self._console.print(prefix + Text(line, style=style))

    def say(self, text: str, style: str = "") -> None:
        """Print a text about the whole."""
        self._console.print(Text(text, style=style))


def shown_path(path: Path) -> str:
    """Write a path as short as it can be read from here."""
    return os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path)
