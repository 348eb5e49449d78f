"""Starts the processes of ``make run`` without its supervisor: a test decides who dies and who comes back."""

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from run import spawn
from run.processes import Process, ReadyLine, Task, migrations, preparations, processes
from run.settings import RunSettings
from tests.testkit.payments.config import PATIENT_ENVIRONMENT

READY_WITHIN_S = 240.0
STOP_WITHIN_S = 60.0
# So long nobody waits for another in tests that are not about it: no busy machine makes an answer late.
PATIENT = {**PATIENT_ENVIRONMENT, "GATEWAY_TIMEOUT": "120s", "GATEWAY_PROVIDER_TIMEOUT": "120s"}


class SystemFailed(Exception):
    """A process did not do what it should; the message ends with its log."""


class WholeSystem:
    """Every process of Caisse, on the ports and in the folder of ``settings``.

    ``database_urls`` (by service) replaces the SQLite files, ``extra`` (by service, or "all") adds to the
    environment. Use it as a context manager: nothing outlives the block.
    """

    def __init__(
        self,
        settings: RunSettings,
        *,
        database_urls: Mapping[str, str] | None = None,
        extra: Mapping[str, Mapping[str, str]] | None = None,
    ) -> None:
        self.settings = settings
        self._database_urls = database_urls or {}
        self._extra = extra or {}
        self._table = {process.name: self._adapted(process) for process in processes(settings)}
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> "WholeSystem":
        self.settings.logs.mkdir(parents=True, exist_ok=True)
        for task in (*migrations(self.settings), *preparations(self.settings)):
            self._do(task)
        for name in self._table:
            self.start(name)
        self.wait_until_ready()
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._running.values():
            process.terminate()
        deadline_s = time.monotonic() + STOP_WITHIN_S
        for process in self._running.values():
            try:
                process.wait(max(0.1, deadline_s - time.monotonic()))
            except subprocess.TimeoutExpired:
                spawn.kill_group(process.pid)
                process.wait()
            spawn.kill_group(process.pid)

    @property
    def names(self) -> tuple[str, ...]:
        """Every process, by name."""
        return tuple(self._table)

    @property
    def gateway_url(self) -> str:
        """Where clients call."""
        return self.settings.gateway_url

    @property
    def payment_url(self) -> str:
        """The payment-service itself."""
        return f"http://127.0.0.1:{self.settings.ports.payment}"

    def database_url(self, service: str) -> str:
        """Return the address of the database of ``service``."""
        return self._table[service].environment["DATABASE_URL"]

    def pid(self, name: str) -> int:
        """The leader of the process group of ``name``."""
        return self._running[name].pid

    def operate(self, service: str, *words: str) -> "subprocess.CompletedProcess[str]":
        """Type a command of ``service`` as its operator would, and return what came of it."""
        program = Path(sys.executable).parent / service
        environment = {**os.environ, **self._table[service].environment}
        return subprocess.run(
            (str(program), *words),
            cwd=self.settings.run_dir,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def start(self, name: str) -> None:
        """Start one process; it need not be ready when this returns."""
        process = self._table[name]
        self._running[name] = spawn.start(process.command, process.environment, self._log(name))

    def kill(self, name: str) -> None:
        """SIGKILL the process and whatever it started, at once."""
        spawn.kill_group(self._running[name].pid)
        self._running[name].wait()

    def wait_until_ready(self, *names: str) -> None:
        """Wait for the named processes, or for all.

        Raises:
            SystemFailed: one ended, or was not ready in time.
        """
        deadline_s = time.monotonic() + READY_WITHIN_S
        for name in names or self.names:
            while not self._is_ready(name):
                if self._running[name].poll() is not None or time.monotonic() > deadline_s:
                    raise SystemFailed(f"{name} is not ready:\n{self._log(name).read_text()[-3000:]}")
                time.sleep(0.05)

    def _adapted(self, process: Process) -> Process:
        return replace(process, environment=self._environment(process.name, process.environment))

    def _environment(self, name: str, environment: Mapping[str, str]) -> dict[str, str]:
        service = next((service for service in self._database_urls if _belongs(name, service)), None)
        database = {"DATABASE_URL": self._database_urls[service]} if service else {}
        extra = {
            key: text
            for owner, more in self._extra.items()
            if owner in {"all", name}
            for key, text in more.items()
        }
        return {**environment, **database, **extra}

    def _do(self, task: Task) -> None:
        done = subprocess.run(
            task.command,
            cwd=self.settings.run_dir,
            env={**os.environ, **self._environment(task.name, task.environment)},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise SystemFailed(f"{task.name}:\n{done.stdout}{done.stderr}")

    def _is_ready(self, name: str) -> bool:
        ready = self._table[name].ready
        if isinstance(ready, ReadyLine):
            log = self._log(name)
            return log.exists() and ready.text in log.read_text()
        try:
            with urlopen(ready.url, timeout=10) as answer:  # noqa: S310  our own table
                return bool(answer.status == 200)
        except (URLError, OSError):
            return False

    def _log(self, name: str) -> Path:
        return self.settings.logs / f"{name}.log"


def _belongs(name: str, service: str) -> bool:
    """Whether a process or task (payment-worker, migrate-payment-service) is part of ``service``."""
    return service in name or name == f"{service.removesuffix('-service')}-worker"
