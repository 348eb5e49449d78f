"""Which program serves a rendered file: a real KrakenD where there is one, else the emulator."""

import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Gateway:
    description: str
    command: tuple[str, ...]
    is_real: bool


def choose_gateway(config: Path) -> Gateway:
    """Prefer `$KRAKEND`, then a `krakend` on PATH, then the emulator."""
    binary = os.environ.get("KRAKEND") or shutil.which("krakend")
    if binary:
        return Gateway(f"KrakenD ({binary})", (binary, "run", "-c", str(config)), is_real=True)
    command = (sys.executable, "-m", "gateway.emulator", "-c", str(config))
    return Gateway("the KrakenD emulator (no `krakend` found)", command, is_real=False)


def gateway_environment() -> dict[str, str]:
    """The environment for the chosen program: KrakenD would report its usage to its makers otherwise."""
    return {**os.environ, "USAGE_DISABLE": "1"}
