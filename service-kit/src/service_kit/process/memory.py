"""Keeps what a process has in memory from files and other processes: card numbers are there for a moment."""

import ctypes
import resource
import sys

_PR_SET_DUMPABLE = 4  # prctl(2)


def keep_memory_private() -> None:
    """Write no core files, and on Linux let no other process of this user look into this one either."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
