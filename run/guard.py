"""Ends what a killed supervisor left behind: a process of its own that reads which groups are alive.

The supervisor writes ``+pid`` for each group that it starts and ``-pid`` for each that is gone. When the
pipe closes, the supervisor is gone too, and the groups that are left are killed. It imports nothing of
ours, so that it is there at once.
"""

import os
import signal
import subprocess
import sys
from contextlib import suppress


class Guard:
    """The supervisor's end of the pipe."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(  # noqa: S603  ourselves
            [sys.executable, __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
            bufsize=1,
            start_new_session=True,  # Ctrl-C and a closed terminal are the supervisor's business
        )

    def watch(self, group: int) -> None:
        """Kill this group if we disappear."""
        self._tell(f"+{group}")

    def forget(self, group: int) -> None:
        """This group is gone."""
        self._tell(f"-{group}")

    def close(self) -> None:
        """Nothing is left to guard."""
        with suppress(BrokenPipeError):
            self._process.communicate()

    def _tell(self, line: str) -> None:
        assert self._process.stdin is not None  # noqa: S101  it is a pipe
        with suppress(BrokenPipeError):  # somebody killed the guard; on Linux the kernel guards as well
            self._process.stdin.write(line + "\n")


def main() -> None:
    """Follow the supervisor until the pipe closes, then kill what is left."""
    groups: set[int] = set()
    for line in sys.stdin:
        (groups.add if line[0] == "+" else groups.discard)(int(line[1:]))
    for group in groups:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)


if __name__ == "__main__":
    main()
