"""`make run` and `make demo` with everything that is real, on ports and in folders of their own."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests

from run.keys import KEYS_OF, read_keys
from run.settings import RunSettings
from run.start import payment_commands, token_commands
from tests.run.watched import (
    LINUX_ALONE,
    PATIENCE_S,
    Start,
    Watched,
    assert_all_end,
    hidden,
    programs,
    until,
)

pytestmark = pytest.mark.timeout(1200)


@pytest.fixture
def settings(tmp_path: Path) -> RunSettings:
    return RunSettings.on_free_ports(tmp_path / "run")


def run_until_ready(start: Start, settings: RunSettings) -> Watched:
    watched = start("-m", "tests.run.patient", "up", **settings.as_environment())
    watched.wait_for("A first payment")
    assert "Caisse is ready" in watched.printed(), watched.printed()
    until(settings.ready_file.exists)  # it comes last: all is printed then
    return watched


@dataclass
class Running:
    """A system that tests share: whoever ends it starts it again, and leaves more payments perhaps."""

    settings: RunSettings
    start: Start
    watched: Watched

    def start_again(self) -> Watched:
        """Start it once more, when it has ended, and wait until it says that it is ready."""
        self.watched = run_until_ready(self.start, self.settings)
        return self.watched


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The system where a start was killed while it migrated."""
    folder = tmp_path_factory.mktemp("running")
    settings = RunSettings.on_free_ports(folder / "run")
    with programs(folder) as start:
        killed = start("-m", "tests.run.patient", "up", **settings.as_environment())
        killed.wait_for("preparing databases")
        family = killed.family()
        killed.kill()
        assert_all_end(family)
        yield Running(settings, start, run_until_ready(start, settings))


@pytest.fixture
def running(shared: Running) -> Running:
    if shared.watched.process.poll() is not None:
        shared.start_again()
    return shared


def ask(settings: RunSettings, number: int) -> requests.Response:
    url = f"http://127.0.0.1:{settings.ports.payment}/payments/{number}"
    return requests.get(url, timeout=PATIENCE_S)


def payment(settings: RunSettings, number: int) -> Any:
    return ask(settings, number).json()


def next_number(settings: RunSettings) -> int:
    return next(number for number in count(1) if ask(settings, number).status_code == 404)


def arbiter(watched: Watched, service: str) -> psutil.Process:
    return next(
        child
        for child in watched.family()
        if child.ppid() == watched.process.pid and f"{service}/gunicorn.conf.py" in " ".join(child.cmdline())
    )


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_the_printed_commands_pay_and_get_a_token(running: Running) -> None:
    settings, printed = running.settings, running.watched.printed()
    number = next_number(settings)
    assert all(line in printed for line in (*payment_commands(settings), *token_commands(settings)))

    paid = in_a_shell(payment_commands(settings))
    token = in_a_shell(token_commands(settings))

    answer, shown = (json.loads(line) for line in paid.replace("}{", "}\n{").splitlines()[1:])
    assert (answer["payment_id"], answer["is_paid"], shown["is_paid"]) == (number, True, True)
    assert json.loads(token)["id"] == "mer_lab"
    assert json.loads(settings.lab_client_file.read_text())["client_secret"] not in printed
    assert settings.lab_client_file.stat().st_mode & 0o777 == 0o600


def in_a_shell(lines: Sequence[str]) -> str:
    done = subprocess.run(
        ["sh", "-ec", "\n".join(lines)], capture_output=True, text=True, check=True, timeout=PATIENCE_S
    )
    return done.stdout


def test_a_killed_service_comes_back_and_a_second_run_is_refused(running: Running, start: Start) -> None:
    settings, watched = running.settings, running.watched
    arbiter(watched, "bank-simulator").kill()
    watched.wait_for("ready again")
    assert "was killed by SIGKILL; started again" in watched.printed()

    second = start("-m", "tests.run.patient", "up", **settings.as_environment())
    assert second.process.wait(PATIENCE_S) == 1
    assert f"Another `make run` is running here (process {watched.process.pid})" in second.printed()
    assert watched.process.poll() is None


def test_a_port_in_use_is_said_and_nothing_is_started(settings: RunSettings, start: Start) -> None:
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        busy = replace(settings, ports=replace(settings.ports, payment=taken.getsockname()[1]))
        watched = start("-m", "run", "up", **busy.as_environment())

        assert watched.process.wait(PATIENCE_S) == 1
    assert f"Port {busy.ports.payment} is in use" in watched.printed()
    assert "PAYMENT_PORT=" in watched.printed()
    assert not (settings.run_dir / "payment-service.db").exists()


def test_a_damaged_database_is_said_with_what_to_do(settings: RunSettings, start: Start) -> None:
    settings.run_dir.mkdir(parents=True)
    (settings.run_dir / "fraud-service.db").write_text("this is no database")
    watched = start("-m", "run", "up", **settings.as_environment())

    assert watched.process.wait(PATIENCE_S) == 1
    assert "migrate-fraud-service failed" in watched.printed()
    assert "make clean" in watched.printed()
    assert "made with the keys that the documentation shows to everybody" in watched.printed()
    assert not settings.keys_file.exists()


def test_a_start_that_was_killed_while_it_migrated_is_made_good_by_the_next(running: Running) -> None:
    assert payment(running.settings, 1)["is_paid"] is False


def test_the_demo_plays_on_the_running_system_with_a_shop_for_as_long_as_it_lasts(
    running: Running, start: Start
) -> None:
    settings = running.settings
    number = next_number(settings)
    demo = start("-m", "tests.run.patient", "demo", RUN_DIR=str(settings.run_dir))

    assert demo.process.wait(PATIENCE_S) == 0, demo.printed()
    assert "Playing on the running system." in demo.printed()
    assert payment(settings, number)["is_paid"] is True
    with pytest.raises(requests.ConnectionError):
        requests.get(settings.store_manager, timeout=PATIENCE_S)
    assert running.watched.process.poll() is None


def test_the_demo_shows_every_step_without_what_only_linux_has_and_leaves_nothing_running(
    tmp_path: Path, start: Start
) -> None:
    watched = start("-m", "tests.run.patient", "demo", RUN_DIR=str(tmp_path), **hidden(*LINUX_ALONE))
    watched.wait_for("1. A customer orders")
    family = watched.family()

    assert watched.process.wait(PATIENCE_S) == 0, watched.printed()
    printed = watched.printed()
    for step in ("payment's link", "payment page", "card is charged", "order is updated", "gets a receipt"):
        assert step in printed
    receipt = next(line.strip() for line in printed.splitlines() if line.endswith(".eml"))
    assert Path(receipt).is_file()
    assert_all_end(family)


def test_nobody_else_reads_what_a_run_leaves_and_its_keys_are_its_own(running: Running) -> None:
    settings = running.settings

    made = [path for path in settings.run_dir.rglob("*") if path.stat().st_mode & 0o077]
    keys = read_keys(settings, "payment-service")

    assert made == []
    assert set(keys) == set(KEYS_OF["payment-service"])
    assert "the documentation shows" not in running.watched.printed()
    assert operate(settings, "verify-events", **keys).returncode == 0
    assert operate(settings, "verify-events", EVENT_KEY="lab-event-key").returncode == 1


def operate(settings: RunSettings, *words: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    program = Path(sys.executable).with_name("payment-service")
    database = f"sqlite:///{settings.database('payment-service')}"
    return subprocess.run(
        [program, *words],
        env={**os.environ, **environment, "DATABASE_URL": database},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_killed_run_leaves_only_its_data_and_ctrl_c_stops_everything(running: Running) -> None:
    settings = running.settings
    number = next_number(settings) - 1
    shown, credentials = payment(settings, number), settings.lab_client_file.read_text()
    keys = settings.keys_file.read_text()
    family = running.watched.family()
    assert len(family) >= 12  # seven processes, four workers of gunicorn, the guard

    running.watched.kill()
    assert_all_end(family)

    second = running.start_again()
    assert settings.lab_client_file.read_text() == credentials
    assert settings.keys_file.read_text() == keys
    assert payment(settings, number) == shown

    family = second.family()
    second.send(signal.SIGINT)
    assert second.process.wait(PATIENCE_S) == 0
    assert_all_end(family)
    assert not settings.ready_file.exists()
