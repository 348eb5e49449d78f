"""What must hold before anything is started: this run's folder and ports are ours alone."""

import errno
import fcntl
import os
import socket
import time
from pathlib import Path

from run.settings import Ports

# The programs of a supervisor that was killed a moment ago need this long to be gone.
PORT_PATIENCE_S = 3.0


class CannotStart(Exception):
    """Something that a person must put right; the message says what and how."""


class RunLock:
    """The folder belongs to one run; the kernel drops its lock when that process is gone, however it went."""

    def __init__(self, run_dir: Path) -> None:
        self._path = run_dir / "lock"
        self._file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o644)

    def take(self) -> None:
        """Take the lock and write our process id into it.

        Raises:
            CannotStart: another run holds it.
        """
        if not self._try():
            raise CannotStart(
                f"Another `make run` is running here (process {self.holder()}). Stop it with Ctrl-C in its "
                "terminal, or give this one a folder and ports of its own (RUN_DIR, GATEWAY_PORT, …)."
            )
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, str(os.getpid()).encode(), 0)

    def is_held(self) -> bool:
        """Whether another process holds it now."""
        if self._try():
            fcntl.flock(self._file, fcntl.LOCK_UN)
            return False
        return True

    def holder(self) -> str:
        """The process id that the last holder wrote."""
        return os.pread(self._file, 32, 0).decode() or "unknown"

    def _try(self) -> bool:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def check_ports(ports: Ports, listen_ip: str) -> None:
    """Make sure that all ports are free.

    Raises:
        CannotStart: some are in use, or may not be used; names each with the setting that changes it.
    """
    deadline_s = time.monotonic() + PORT_PATIENCE_S
    while faults := _faults(ports, listen_ip):
        if time.monotonic() > deadline_s:
            raise CannotStart("\n".join(faults))
        time.sleep(0.2)


def _faults(ports: Ports, listen_ip: str) -> list[str]:
    faults = []
    for kind, settings in ((socket.SOCK_STREAM, ports.tcp), (socket.SOCK_DGRAM, ports.udp)):
        for setting, port in settings.items():
            address = listen_ip if setting == "GATEWAY_PORT" else "127.0.0.1"
            reason = _why_not(kind, address, port)
            if reason:
                faults.append(
                    f"Port {port} {reason}. Stop the program that has it, "
                    f"or choose another: make run {setting}={port + 1000}"
                )
    numbers = [*ports.tcp.values(), *ports.udp.values()]
    if len(set(numbers)) < len(numbers):
        faults.append("Two of the ports are the same; see `python -m run up --help`.")
    return faults


def _why_not(kind: socket.SocketKind, address: str, port: int) -> str | None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, kind) as probe:
        if kind is socket.SOCK_STREAM:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OverflowError:
            return "is no port number (0 to 65535)"
        except OSError as exc:
            return "is in use" if exc.errno == errno.EADDRINUSE else f"cannot be used ({exc.strerror})"
    return None
