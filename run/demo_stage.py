"""Where the demo plays: on the running system, or on one of its own; with Store Manager, or a stand-in."""

import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import click

from run import spawn
from run.log_follower import last_lines
from run.preconditions import CannotStart, RunLock
from run.settings import Ports, RunSettings

_START_PATIENCE_S = 120.0
_STOP_PATIENCE_S = 10.0


@dataclass(frozen=True)
class Stage:
    """A system to play on: gateway, shop, and the folder of receipts with those that were there before."""

    gateway: str
    store_manager: str
    mail: Path
    old_mail: frozenset[Path]


@contextmanager
def set_stage(settings: RunSettings) -> Iterator[Stage]:
    """Give a running system with a shop, and stop afterwards what was started for it.

    Raises:
        CannotStart: no system could be started; the message holds its log.
    """
    with ExitStack() as started:
        if is_running(settings):
            click.echo("Playing on the running system.")
            ready_file = settings.ready_file
        else:
            own = on_free_ports(settings.run_dir / "demo")
            click.echo("No `make run` is running: starting a system on free ports, for the demo alone …")
            started.enter_context(running_system(own))
            ready_file = own.ready_file
        stage = _read(ready_file)
        if not _listens(stage.store_manager):
            click.echo(f"A stand-in shop plays Store Manager at {stage.store_manager}, where nobody listens.")
            started.enter_context(_stand_in_shop(stage, ready_file.parent))
        yield stage


def is_running(settings: RunSettings) -> bool:
    """Whether a `make run` in this folder is ready."""
    return settings.ready_file.exists() and RunLock(settings.run_dir).is_held()


def on_free_ports(run_dir: Path) -> RunSettings:
    """Settings for one more system beside others, its shop's address included."""
    *ports, shop = _free_ports(8)
    return RunSettings(run_dir, Ports(*ports), store_manager=f"http://127.0.0.1:{shop}")


@contextmanager
def running_system(settings: RunSettings) -> Iterator["subprocess.Popen[bytes]"]:
    """Run the whole system as a process until the block ends.

    Raises:
        CannotStart: it did not become ready.
    """
    log = settings.run_dir / "supervisor.log"
    command = (sys.executable, "-m", "run", "up")
    with _program(command, settings.as_environment(), log, settings.ready_file.exists) as process:
        yield process


@contextmanager
def _stand_in_shop(stage: Stage, folder: Path) -> Iterator[None]:
    port = urlsplit(stage.store_manager).port
    command = (sys.executable, "-m", "tests.stand_in_shop", "--port", str(port), "--gateway", stage.gateway)
    log = folder / "logs" / "stand-in-shop.log"
    with _program(command, {}, log, lambda: _listens(stage.store_manager)):
        yield


@contextmanager
def _program(
    command: tuple[str, ...], environment: dict[str, str], log: Path, is_ready: Callable[[], bool]
) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a program that does not outlive the block, nor us."""
    log.parent.mkdir(parents=True, exist_ok=True)
    log.unlink(missing_ok=True)
    process = spawn.start(command, environment, log)
    try:
        _wait_until(is_ready, process, log)
        yield process
    finally:
        process.terminate()
        try:
            process.wait(_STOP_PATIENCE_S)
        except subprocess.TimeoutExpired:
            spawn.kill_group(process.pid)
            process.wait()


def _wait_until(is_ready: Callable[[], bool], process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline_s = time.monotonic() + _START_PATIENCE_S
    while not is_ready():
        if process.poll() is not None or time.monotonic() > deadline_s:
            raise CannotStart("\n".join([f"It did not start ({log}):", *last_lines(log, 20)]))
        time.sleep(0.1)


def _read(ready_file: Path) -> Stage:
    ready = json.loads(ready_file.read_text())
    mail = Path(ready["mail"])
    return Stage(ready["gateway"], ready["store_manager"], mail, frozenset(mail.rglob("*.eml")))


def _listens(url: str) -> bool:
    address = urlsplit(url)
    try:
        with socket.create_connection((address.hostname, address.port or 80), timeout=1):
            return True
    except OSError:
        return False


def _free_ports(number: int) -> list[int]:
    """Ports that nobody had a moment ago; all are held until all are found, so that they differ."""
    with ExitStack() as held:
        probes = [held.enter_context(closing(socket.socket())) for _ in range(number)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]
