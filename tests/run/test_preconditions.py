import socket
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from run.cli import main
from run.folder import CannotStart, RunLock
from run.settings import Ports, RunSettings
from run.start import check_ports
from tests.run.watched import Start


@pytest.fixture
def taken() -> Iterator[int]:
    with closing(socket.socket()) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


@pytest.fixture(autouse=True)
def _no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("run.start.PORTS_FREE_WITHIN_S", 0.0)


def test_free_ports_pass(tmp_path: Path) -> None:
    check_ports(RunSettings.on_free_ports(tmp_path).ports, "127.0.0.1")


def test_a_port_in_use_is_named_with_the_setting_that_changes_it(tmp_path: Path, taken: int) -> None:
    ports = replace(RunSettings.on_free_ports(tmp_path).ports, gateway=taken)

    with pytest.raises(CannotStart, match=rf"Port {taken} is in use.*GATEWAY_PORT={taken + 1000}"):
        check_ports(ports, "127.0.0.1")


def test_a_datagram_port_in_use_is_named_too(tmp_path: Path) -> None:
    with closing(socket.socket(type=socket.SOCK_DGRAM)) as listener:
        listener.bind(("127.0.0.1", 0))
        ports = replace(RunSettings.on_free_ports(tmp_path).ports, payment_wake=listener.getsockname()[1])

        with pytest.raises(CannotStart, match="PAYMENT_WAKE_PORT"):
            check_ports(ports, "127.0.0.1")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BANK_PORT", "-1"),
        ("GATEWAY_PORT", "99999"),
        ("GATEWAY_PORT", "0"),
        ("GATEWAY_PORT", "eighty"),
        ("GATEWAY_LISTEN_IP", "everywhere"),
        ("GATEWAY_LISTEN_IP", "127.0.0.1:8080"),
        ("GATEWAY_LISTEN_IP", ""),
    ],
)
@pytest.mark.parametrize("command", ["up", "demo"])
def test_what_is_no_port_or_address_is_said_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, command: str, name: str, value: str
) -> None:
    monkeypatch.setenv("RUN_DIR", str(tmp_path / "run"))
    monkeypatch.setenv(name, value)

    result = CliRunner().invoke(main, [command])

    assert (result.exit_code, name in result.stderr) == (1, True), result.output
    assert "Traceback" not in result.output
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("listen_ip", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8080"),
        ("0.0.0.0", "http://127.0.0.1:8080"),  # noqa: S104
        ("192.168.1.5", "http://192.168.1.5:8080"),
        ("::", "http://[::1]:8080"),
        ("::1", "http://[::1]:8080"),
    ],
)
def test_the_gateway_is_called_where_it_listens(tmp_path: Path, listen_ip: str, url: str) -> None:
    assert RunSettings(tmp_path, Ports(), listen_ip).gateway_url == url


def test_a_folder_that_cannot_be_made_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("RUN_DIR", str(tmp_path / "file" / "run"))

    result = CliRunner().invoke(main, ["up"])

    assert result.exit_code == 1
    assert str(tmp_path / "file" / "run") in result.stderr


def test_a_lock_that_cannot_be_made_is_said_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "run.lock").mkdir()
    monkeypatch.setenv("RUN_DIR", str(tmp_path))

    result = CliRunner().invoke(main, ["up"])

    assert (result.exit_code, "Traceback" in result.output) == (1, False)
    assert f"{tmp_path / 'run.lock'} cannot be locked" in result.stderr


def test_a_high_port_in_use_is_answered_with_a_lower_one(
    tmp_path: Path, taken: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("run.start.HIGHEST_PORT", taken + 999)
    ports = replace(RunSettings.on_free_ports(tmp_path).ports, gateway=taken)

    with pytest.raises(CannotStart, match=rf"GATEWAY_PORT={taken - 1000}$"):
        check_ports(ports, "127.0.0.1")


def test_one_port_for_two_is_refused(tmp_path: Path) -> None:
    free = RunSettings.on_free_ports(tmp_path).ports

    with pytest.raises(CannotStart, match=f"^FRAUD_PORT and BANK_PORT are the same, {free.fraud}"):
        check_ports(replace(free, bank=free.fraud), "127.0.0.1")


def test_a_second_run_in_a_folder_is_refused_with_the_first_ones_process(tmp_path: Path) -> None:
    first, second = RunLock(tmp_path), RunLock(tmp_path)
    first.take()

    with pytest.raises(CannotStart, match=rf"process {first.holder()}\)"):
        second.take()
    assert second.is_held()


def test_a_folder_that_nobody_uses_is_not_held(tmp_path: Path) -> None:
    assert not RunLock(tmp_path).is_held()


def test_a_lock_goes_with_its_process_and_is_told_to_other_processes(tmp_path: Path, start: Start) -> None:
    holder = start(
        "-c",
        "import pathlib, sys, time; from run.folder import RunLock\n"
        "lock = RunLock(pathlib.Path(sys.argv[1])); lock.take(); print('held', flush=True); time.sleep(600)",
        str(tmp_path),
    )
    holder.wait_for("held")
    lock = RunLock(tmp_path)
    assert (lock.is_held(), lock.holder()) == (True, str(holder.process.pid))

    holder.kill()

    assert not lock.is_held()
