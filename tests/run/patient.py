"""`python -m run` as it is, except that it waits as long as a busy machine takes."""

import sys
from collections.abc import Mapping
from pathlib import Path
from subprocess import Popen

from run import demo, spawn, supervisor
from run.cli import main

PATIENCE_S = 600.0
_start = spawn.start


def start_patiently(command: tuple[str, ...], environment: Mapping[str, str], log: Path) -> "Popen[bytes]":
    """Let the system that the demo starts for itself be as patient."""
    if command == (sys.executable, "-m", "run", "up"):
        command = (sys.executable, "-m", "tests.run.patient", "up")
    return _start(command, environment, log)


if __name__ == "__main__":
    supervisor.READY_WITHIN_S = demo.ANSWER_WITHIN_S = demo.START_WITHIN_S = PATIENCE_S
    spawn.start = start_patiently
    main()
