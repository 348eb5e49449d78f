"""Which program becomes the gateway."""

import sys
from pathlib import Path

import pytest
from gateway.launch import choose_gateway, gateway_environment

CONFIG = Path("krakend.json")


@pytest.fixture
def on_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    binary = tmp_path / "krakend"
    binary.write_text("#!/bin/sh\n")
    binary.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    return binary


def test_the_setting_wins(on_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KRAKEND", "/opt/krakend")

    gateway = choose_gateway(CONFIG)

    assert gateway.is_real
    assert gateway.command == ("/opt/krakend", "run", "-c", "krakend.json")


def test_then_a_krakend_on_path(on_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KRAKEND", raising=False)

    assert choose_gateway(CONFIG).command[0] == str(on_path)


def test_else_the_emulator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KRAKEND", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))

    gateway = choose_gateway(CONFIG)

    assert not gateway.is_real
    assert gateway.command == (sys.executable, "-m", "gateway.emulator", "-c", "krakend.json")


def test_usage_is_not_reported() -> None:
    assert gateway_environment()["USAGE_DISABLE"] == "1"
