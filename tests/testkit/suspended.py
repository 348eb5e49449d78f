"""A process that hangs: the kernel takes connections and bytes for it, and no answer comes."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psutil


@contextmanager
def suspended(pid: int) -> Iterator[None]:
    """Let the process hang while the block runs: from its first line on, though a signal takes a moment."""
    process = psutil.Process(pid)
    os.kill(pid, signal.SIGSTOP)
    try:
        while process.status() != psutil.STATUS_STOPPED:
            time.sleep(0.001)
        time.sleep(0.02)  # its other threads, which end what they do in the kernel first
        yield
    finally:
        os.kill(pid, signal.SIGCONT)
