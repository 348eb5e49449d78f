"""Supervises the shell scripts named on its command line: `name=script` each; ready when they say "up"."""

import os
import sys
from pathlib import Path

from run.guard import Guard
from run.processes import Process, ReadyLine
from run.supervisor import StopSignals, Terminal, supervise


def main() -> None:
    logs, *named = sys.argv[1:]
    table = [
        Process(name, ("sh", "-c", script), ReadyLine("up"))
        for name, _, script in (argument.partition("=") for argument in named)
    ]
    supervise(
        table,
        logs=Path(logs),
        terminal=Terminal([process.name for process in table]),
        guard=Guard(),
        stop=StopSignals(os.getppid()),
        on_ready=lambda missing: print("READY" if not missing else f"READY without {missing}", flush=True),
    )


if __name__ == "__main__":
    main()
