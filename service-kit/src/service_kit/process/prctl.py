"""prctl(2), by which a process asks Linux's kernel for something; no other system has it, nor every Linux."""

import ctypes
import sys
from collections.abc import Callable

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4


def find_prctl() -> Callable[[int, int, int, int, int], int] | None:
    """Return prctl, or None where there is none: ask of it a second safety net, never the only one."""
    return getattr(ctypes.CDLL(None), "prctl", None) if sys.platform == "linux" else None
