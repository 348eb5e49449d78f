from pathlib import Path

import pytest
from bank_simulator.config import Config
from bank_simulator.values.fault_plan import FaultPlan, Share
from service_kit.process.config import ConfigurationError

SETTINGS = ("SIMULATOR_PUBLIC_URL", "BANK_WEBHOOK_URL", "BANK_WEBHOOK_SECRET", "ACS_SESSION_S")


@pytest.fixture(autouse=True)
def empty_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("DATABASE_URL", "BANK_TOKEN", "BANK_CARD_KEY", "BANK_FAULTS", "CAISSE_PROFILE", *SETTINGS):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


def test_without_settings_the_database_lies_under_the_working_directory(tmp_path: Path) -> None:
    config = Config.from_env()

    assert config.database_url == f"sqlite:///{tmp_path}/.run/bank-simulator.db"
    assert not (tmp_path / ".run").exists()
    assert config.faults.is_calm


def test_a_relative_database_becomes_absolute(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DATABASE_URL", "sqlite:///data/bank.db")

    assert Config.from_env().database_url == f"sqlite:///{tmp_path}/data/bank.db"


def test_a_servers_address_stays_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "mysql+pymysql://bank:p%40ss@db:3306/bank?charset=utf8mb4")

    assert Config.from_env().database_url == "mysql+pymysql://bank:p%40ss@db:3306/bank?charset=utf8mb4"


def test_faults_can_be_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BANK_FAULTS", '{"seed": 3, "errors": {"rate": 0.5}}')

    assert Config.from_env().faults == FaultPlan(seed=3, errors=Share(0.5))


@pytest.mark.parametrize("text", ["{", '{"errors": {"rate": "often"}}'])
def test_faults_that_cannot_be_read_stop_the_start(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("BANK_FAULTS", text)

    with pytest.raises(ConfigurationError, match="BANK_FAULTS"):
        Config.from_env()


def test_production_accepts_no_well_known_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAISSE_PROFILE", "production")
    with pytest.raises(ConfigurationError, match="DATABASE_URL"):
        Config.from_env()

    monkeypatch.setenv("DATABASE_URL", "sqlite:////var/caisse/own.db")

    with pytest.raises(ConfigurationError, match="BANK_TOKEN"):
        Config.from_env()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SIMULATOR_PUBLIC_URL", "localhost:5012"),
        ("SIMULATOR_PUBLIC_URL", "javascript:alert(1)"),
        ("BANK_WEBHOOK_URL", "http://"),
        ("BANK_WEBHOOK_URL", "http://gateway:8080/hooks?secret=1"),
        ("BANK_WEBHOOK_SECRET", "whsec_c2hvcnQ="),
        ("BANK_WEBHOOK_SECRET", "bGFiLWJhbmstd2ViaG9vay1zZWNyZXQtMzItYnl0ZXM="),
        ("BANK_WEBHOOK_SECRET", "whsec_not base64"),
        ("BANK_WEBHOOK_SECRET", "whsec_é"),
    ],
)
def test_what_cannot_work_stops_the_start(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(ConfigurationError, match=name):
        Config.from_env()


def test_where_browsers_and_events_go_can_be_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIMULATOR_PUBLIC_URL", "https://bank.example/")
    monkeypatch.setenv("ACS_SESSION_S", "1.5")

    config = Config.from_env()

    assert (config.public_url, config.acs_session_s) == ("https://bank.example", 1.5)
    assert config.webhook_url == "http://127.0.0.1:8080/provider-webhooks/bank-simulator"
