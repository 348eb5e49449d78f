from pathlib import Path

import pytest
from notification_service.config import Config
from service_kit.process.config import ConfigurationError

NAMES = ("DATABASE_URL", "OUTBOX_DIR", "SMTP_URL", "MAIL_FROM", "LAB_RECEIPT_ADDRESS", "DISPLAY_TIME_ZONE",
         "SERVICE_TOKEN", "CAISSE_PROFILE", "WORKER_WAKE_ADDRESS", "LOG_LEVEL")  # fmt: skip


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


def test_the_lab_needs_no_setting(tmp_path: Path) -> None:
    config = Config.from_env()

    assert config.database_url == f"sqlite:///{tmp_path}/.run/notification-service.db"
    assert config.outbox_dir == tmp_path / ".run" / "mail"
    assert config.smtp is None
    assert config.lab_receipt_address == "user-{user_id}@shop.example"
    assert config.time_zone.key == "Africa/Casablanca"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SMTP_URL", "mail.example"),
        ("MAIL_FROM", "nobody"),
        ("MAIL_FROM", "A\nBcc: b@c.example <a@b.example>"),
        ("LAB_RECEIPT_ADDRESS", "user-{id}@shop.example"),
        ("DISPLAY_TIME_ZONE", "Mars/Olympus"),
        ("DISPLAY_TIME_ZONE", "../../etc/passwd"),
        ("CAISSE_PROFILE", "test"),
        ("WORKER_WAKE_ADDRESS", "5911"),
    ],
)
def test_unusable_settings_are_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(ConfigurationError, match=name):
        Config.from_env()


def test_production_accepts_neither_known_secrets_nor_passwords_in_clear(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CAISSE_PROFILE", "production")
    with pytest.raises(ConfigurationError, match="DATABASE_URL"):
        Config.from_env()

    monkeypatch.setenv("DATABASE_URL", "sqlite:////var/caisse/own.db")
    with pytest.raises(ConfigurationError, match="SERVICE_TOKEN"):
        Config.from_env()

    monkeypatch.setenv("SERVICE_TOKEN", "qzY0Zf7aWb1p0oPj1Wm3y6vKx2n8sLdE")
    monkeypatch.setenv("SMTP_URL", "smtp://user:password@mail.example")
    with pytest.raises(ConfigurationError, match="clear"):
        Config.from_env()

    monkeypatch.setenv("SMTP_URL", "smtp://user:password@mail.example?starttls=required")
    assert Config.from_env().lab_receipt_address == ""
