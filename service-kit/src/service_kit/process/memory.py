"""Keeps what a process has in memory from files and other processes: card numbers are there for a moment."""

import resource

from service_kit.process.prctl import PR_SET_DUMPABLE, find_prctl


def keep_memory_private() -> None:
    """Write no core files, and on Linux let no other process of this user look into this one either."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if prctl := find_prctl():
        prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
