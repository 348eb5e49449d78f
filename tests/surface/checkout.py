"""A checkout that is looked at: its programs, and all of it running."""

import json
import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import requests

SERVICES = ("payment-service", "fraud-service", "notification-service", "bank-simulator")
_READY_WITHIN_S = 240
_STOP_WITHIN_S = 60
_PORTS = ("GATEWAY", "PAYMENT", "FRAUD", "NOTIFICATION", "BANK", "PAYMENT_WAKE", "NOTIFICATION_WAKE", "SHOP")


class SurfaceError(Exception):
    """Something did not run as it should; the message ends with what it said."""


class Checkout:
    """The programs of a checkout, run with nothing of the caller's environment but what they need."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self._bin = self.root / ".venv" / "bin"
        if not (self._bin / "python").exists():
            raise SurfaceError(f"{self.root} has no .venv: run make .venv/.installed-run there")

    def command(self, name: str) -> list[str]:
        """Return the words that start a command: a console script, or ``python -m …``."""
        program, *words = name.split()
        return [str(self._bin / program), *words]

    def environment(self, settings: Mapping[str, str]) -> dict[str, str]:
        """Return what a program is told."""
        fixed = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "COLUMNS": "100", "NO_COLOR": "1"}
        return {**fixed, **settings}

    def run(
        self,
        name: str,
        settings: Mapping[str, str] | None = None,
        *,
        arguments: Sequence[str] = (),
        must: bool = True,
    ) -> str:
        """Run a command to its end and return what it said.

        Raises:
            SurfaceError: it ended with another code than 0, and `must` says that it must not.
        """
        done = subprocess.run(
            [*self.command(name), *arguments],
            cwd=self.root,
            env=self.environment(settings or {}),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if must and done.returncode:
            raise SurfaceError(f"{name} ended with {done.returncode}:\n{done.stdout}")
        return done.stdout if done.returncode == 0 else f"{done.stdout}(exit code {done.returncode})\n"


class System:
    """All of a checkout as `python -m run up` runs it, on ports of its own and in a folder of its own."""

    def __init__(self, checkout: Checkout, folder: Path, settings: Mapping[str, str]) -> None:
        self.folder = folder
        self._checkout = checkout
        self._ports = dict(zip(_PORTS, _free_ports(len(_PORTS)), strict=True))
        self._settings = {
            **settings,
            "RUN_DIR": str(folder),
            "STORE_MANAGER_URL": self.address("shop"),
            **{f"{name}_PORT": str(port) for name, port in self._ports.items() if name != "SHOP"},
        }
        self._process: subprocess.Popen[bytes] | None = None

    def address(self, name: str) -> str:
        """Return the address of the gateway, the shop, or a service by its first word."""
        return f"http://{self.host(name)}"

    def host(self, name: str) -> str:
        """Return the same without the scheme."""
        return f"127.0.0.1:{self._ports[name.upper()]}"

    def port(self, name: str) -> int:
        """Return the port alone."""
        return self._ports[name.upper()]

    @property
    def names(self) -> dict[str, str]:
        """What stands for this system's addresses and folders in what is written down."""
        hosts = {self.host(name): f"<{name.lower()}>" for name in _PORTS}
        return {**hosts, str(self.folder): "<run>", str(self._checkout.root): "<checkout>"}

    @property
    def client(self) -> tuple[str, str]:
        """The lab's API client: its id and secret."""
        found: dict[str, Any] = json.loads((self.folder / "lab-client.json").read_text())
        return found["client_id"], found["client_secret"]

    def ask(self, command: str) -> str:
        """Run a command of a service on the database of this system."""
        url = f"sqlite:///{self.folder / command.split(maxsplit=1)[0]}.db"
        addresses = {"BANK_URL": self.address("bank"), "PUBLIC_BASE_URL": self.address("gateway")}
        told = {**self._settings, **addresses, "DATABASE_URL": url}
        return self._checkout.run(command, told, must=False)

    @contextmanager
    def running(self) -> Iterator["System"]:
        """Start everything, wait until all is ready, and stop it at the end of the block."""
        log = self.folder.with_suffix(".log")
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                self._checkout.command("python -m run up --end-with-parent"),
                cwd=self._checkout.root,
                env=self._checkout.environment(self._settings),
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            wait_until((self.folder / "ready.json").exists, "the system to be ready", _READY_WITHIN_S)
            yield self
        except SurfaceError as exc:
            raise SurfaceError(f"{exc}\n{log.read_text(errors='replace')[-4000:]}") from exc
        finally:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(_STOP_WITHIN_S)

    @contextmanager
    def without(self, name: str) -> Iterator[None]:
        """Kill a service for the block, while the supervisor sleeps and cannot start it again."""
        assert self._process
        process_id = _listener(self._process.pid, self.host(name))
        with ExitStack() as at_the_end:
            self._process.send_signal(signal.SIGSTOP)
            at_the_end.callback(self._process.send_signal, signal.SIGCONT)
            os.killpg(process_id, signal.SIGKILL)
            wait_until(lambda: not self._answers(name), f"{name} to be gone")
            yield
        wait_until(lambda: self._answers(name), f"{name} to be back", _READY_WITHIN_S)

    def _answers(self, name: str) -> bool:
        try:
            return requests.get(f"{self.address(name)}/health/ready", timeout=5).ok
        except requests.RequestException:
            return False


def wait_until(condition: Any, what: str, patience_s: float = 90) -> None:
    """Wait until a condition holds.

    Raises:
        SurfaceError: it did not in time.
    """
    deadline = time.monotonic() + patience_s
    while not condition():
        if time.monotonic() > deadline:
            raise SurfaceError(f"waited {patience_s} s in vain for {what}")
        time.sleep(0.1)


def _listener(supervisor: int, host: str) -> int:
    """Find the child of the supervisor that was told to listen there."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            told = (folder / "environ").read_bytes().split(b"\0")
        except (OSError, IndexError):
            continue
        if parent == supervisor and f"BIND={host}".encode() in told:
            return int(folder.name)
    raise SurfaceError(f"nobody listens on {host}")


def _free_ports(count: int) -> list[int]:
    """Find ports of five digits, so that what is written has the same length each time."""
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Give a folder that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="surface-", ignore_cleanup_errors=True) as name:
        yield Path(name).resolve()
