"""Start programs that never outlive us.

Every program leads a process group of its own, so that Ctrl-C reaches only the supervisor, which then stops
the others in order, and so that what a program started can be ended with it. On Linux the kernel kills each
program when the supervisor is gone, however that happened; a guard (run/guard.py) does the same for the whole
group on every system.
"""

import os
import signal
import subprocess
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from service_kit.process.prctl import PR_SET_PDEATHSIG, find_prctl

from run.settings import CHECKOUT


def start(command: tuple[str, ...], environment: Mapping[str, str], log: Path) -> "subprocess.Popen[bytes]":
    """Start a program in the checkout, its output appended to ``log``.

    Raises:
        OSError: the program does not exist or cannot be run.
    """
    with log.open("ab") as output:
        return subprocess.Popen(  # noqa: S603  our own tables
            command,
            cwd=CHECKOUT,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=_dying_with_us(),  # noqa: PLW1509  the supervisor has one thread
        )


def kill_group(leader: int) -> None:
    """Kill whatever is left of the group that a program led."""
    with suppress(ProcessLookupError, PermissionError):  # macOS says the latter of a group of the dead
        os.killpg(leader, signal.SIGKILL)


def _dying_with_us() -> Callable[[], None] | None:
    """Return what a child does before exec to be killed with us, or None where that cannot be had."""
    prctl = find_prctl()
    if prctl is None:
        return None
    parent = os.getpid()

    def ask_the_kernel() -> None:
        prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
        if os.getppid() != parent:  # we died between the fork and the line above
            os.kill(os.getpid(), signal.SIGKILL)

    return ask_the_kernel
