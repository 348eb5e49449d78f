"""The keys of a run's folder: its own where it is new, else those that its data was made with."""

import os
import re
import subprocess
from pathlib import Path

import pytest
from payment_service.config import Config as PaymentConfig

from run.folder import close_to_others
from run.keys import KEYS_OF, keep_keys, read_keys
from run.processes import migrations, processes
from run.settings import CHECKOUT, RunSettings


@pytest.fixture
def settings(tmp_path: Path) -> RunSettings:
    return RunSettings.on_free_ports(tmp_path)


def other(settings: RunSettings, name: str) -> RunSettings:
    folder = settings.run_dir / name
    folder.mkdir()
    return RunSettings.on_free_ports(folder)


def test_a_new_folder_gets_keys_that_no_other_has_and_only_its_owner_reads(settings: RunSettings) -> None:
    first, second = other(settings, "first"), other(settings, "second")

    assert keep_keys(first)
    assert keep_keys(second)

    assert first.keys_file.stat().st_mode & 0o777 == 0o600
    for service, names in KEYS_OF.items():
        one, two = read_keys(first, service), read_keys(second, service)
        assert set(one) == set(two) == set(names)
        assert not set(one.values()) & set(two.values())
    drawn = {name: key for service in KEYS_OF for name, key in read_keys(first, service).items()}
    assert drawn.pop("BANK_WEBHOOK_SECRET") == drawn["BANK_WEBHOOK_SECRETS"]
    assert len(set(drawn.values())) == len(drawn)


def test_a_folder_keeps_its_keys_with_data_and_without(settings: RunSettings) -> None:
    keep_keys(settings)
    keys = settings.keys_file.read_text()

    assert keep_keys(settings)
    settings.database("payment-service").touch()
    assert keep_keys(settings)

    assert settings.keys_file.read_text() == keys


@pytest.mark.parametrize("service", sorted(KEYS_OF))
def test_data_that_was_made_with_the_published_keys_keeps_them(settings: RunSettings, service: str) -> None:
    settings.database(service).touch()

    assert not keep_keys(settings)

    assert not settings.keys_file.exists()
    for process in processes(settings):
        assert not {name for names in KEYS_OF.values() for name in names} & set(process.environment)


def test_a_start_that_was_killed_while_it_wrote_the_keys_is_made_good_by_the_next(
    settings: RunSettings,
) -> None:
    settings.keys_file.with_suffix(".half").write_text("EVENT_KEY=ha")

    assert keep_keys(settings)

    assert len(read_keys(settings, "payment-service")["EVENT_KEY"]) >= 32


def test_each_process_gets_the_keys_of_its_service_alone(settings: RunSettings) -> None:
    keep_keys(settings)
    told = {process.name: process.environment for process in processes(settings)}

    for name, service in (
        ("payment-worker", "payment-service"),
        ("notification-worker", "notification-service"),
    ):
        assert told[name].items() >= read_keys(settings, service).items()
    for task in migrations(settings):
        service = task.name.removeprefix("migrate-")
        assert told[service].items() >= task.environment.items() >= read_keys(settings, service).items()
    assert "VAULT_KEYS" not in told["fraud-service"]
    assert "BANK_CARD_KEY" not in told["payment-service"]
    assert not any("KEY" in name for name in told["gateway"])


def test_what_the_user_gives_wins_over_the_folders_key(
    settings: RunSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep_keys(settings)
    monkeypatch.setenv("EVENT_KEY", "the user's")

    told = {process.name: process.environment for process in processes(settings)}

    assert told["payment-service"]["EVENT_KEY"] == "the user's"


def test_the_keys_are_good_enough_for_production(
    settings: RunSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep_keys(settings)
    production = {
        "CAISSE_PROFILE": "production",
        "BANK_TOKEN": "x9Kf83hGq0Zr61LmB7wTnU4e",
        "PUBLIC_BASE_URL": "https://pay.example",
        "TRUSTED_PROXIES": "192.0.2.0/24",
        "DATABASE_URL": "sqlite:////tmp/x.db",
    }
    for name, value in {**production, **read_keys(settings, "payment-service")}.items():
        monkeypatch.setenv(name, value)

    config = PaymentConfig.from_env()

    assert list(config.vault_keys) == ["1"]


def test_a_shell_reads_the_file(settings: RunSettings) -> None:
    keep_keys(settings)
    script = f"set -a; . {settings.keys_file}; set +a; env"
    clean = {"PATH": os.environ["PATH"]}
    printed = subprocess.run(
        ["sh", "-ec", script], env=clean, capture_output=True, text=True, check=True
    ).stdout

    for service in KEYS_OF:
        for name, key in read_keys(settings, service).items():
            assert f"{name}={key}\n" in printed


def test_what_an_earlier_version_left_open_is_closed(settings: RunSettings) -> None:
    settings.logs.mkdir(mode=0o755)
    database = settings.database("payment-service")
    database.touch(mode=0o644)

    close_to_others(settings)

    assert settings.logs.stat().st_mode & 0o777 == 0o700
    assert database.stat().st_mode & 0o777 == 0o600


def test_every_published_secret_is_drawn_for_a_folder_but_for_what_the_collections_send() -> None:
    """A secret with a lab default that is added later needs a key here, too."""
    configs = "".join(file.read_text() for file in CHECKOUT.glob("*/src/*/config.py"))
    published = set(re.findall(r'_read_key\(\s*env, profile, "([A-Z_]+)"', configs))
    published |= set(re.findall(r'read_secret\(\s*env, profile, "([A-Z_]+)"', configs))
    published |= set(re.findall(r'_read_webhook_secrets\(\s*env, profile, "([A-Z_]+)"', configs))

    assert published - {name for names in KEYS_OF.values() for name in names} == {"BANK_TOKEN"}
