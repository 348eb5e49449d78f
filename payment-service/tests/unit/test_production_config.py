"""Production starts with settings of its own, and says which one is not."""

import base64

import pytest
from payment_service.config import LAB_VAULT_KEYS, LAB_WEBHOOK_SECRET, Config
from service_kit.process.config import ConfigurationError, Profile

from tests.testkit.payments.config import PRODUCTION_ENVIRONMENT, PRODUCTION_SECRETS


@pytest.fixture(autouse=True)
def own_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in PRODUCTION_ENVIRONMENT.items():
        monkeypatch.setenv(name, value)


def test_production_starts_with_settings_of_its_own() -> None:
    assert Config.from_env().profile is Profile.PRODUCTION


@pytest.mark.parametrize("name", [name for name in PRODUCTION_ENVIRONMENT if name != "CAISSE_PROFILE"])
def test_production_does_not_start_without_any_of_them(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.delenv(name)

    with pytest.raises(ConfigurationError, match=name):
        Config.from_env()


@pytest.mark.parametrize("name", PRODUCTION_SECRETS)
@pytest.mark.parametrize(
    "value", ["x", "a secret of our own", "a" * 40, "abababab" * 5, " ", "{lab} ", "{LAB}"]
)
def test_a_secret_that_can_be_guessed_is_refused_and_not_told(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    lab = f"lab-{name.lower().replace('_', '-')}"
    value = value.format(lab=lab, LAB=lab.upper())
    monkeypatch.setenv(name, value)

    with pytest.raises(ConfigurationError, match=name) as refusal:
        Config.from_env()
    assert len(value) < 3 or value not in str(refusal.value)


def test_no_secret_serves_for_two_things(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVENT_KEY", PRODUCTION_ENVIRONMENT["BANK_TOKEN"] + " ")

    with pytest.raises(ConfigurationError, match="BANK_TOKEN and EVENT_KEY"):
        Config.from_env()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BANK_WEBHOOK_SECRETS", LAB_WEBHOOK_SECRET),
        ("BANK_WEBHOOK_SECRETS", f"{PRODUCTION_ENVIRONMENT['BANK_WEBHOOK_SECRETS']},{LAB_WEBHOOK_SECRET}"),
        ("BANK_WEBHOOK_SECRETS", f"whsec_{base64.b64encode(bytes(32)).decode()}"),
        ("VAULT_KEYS", LAB_VAULT_KEYS),
        ("VAULT_KEYS", f"{PRODUCTION_ENVIRONMENT['VAULT_KEYS']},{LAB_VAULT_KEYS}"),
        ("VAULT_KEYS", f"2026:{LAB_VAULT_KEYS.partition(':')[2]}"),
        ("VAULT_KEYS", f"2026:{base64.b64encode(bytes(32)).decode()}"),
        ("DATABASE_URL", "mysql+pymysql://payments:lab-payments@db/payments"),
        ("PUBLIC_BASE_URL", "http://pay.shop.example"),
        ("PUBLIC_BASE_URL", "https://localhost:8443"),
        ("TRUSTED_PROXIES", "0.0.0.0/0"),
        ("TRUSTED_PROXIES", "10.2.0.0/16,::/0"),
        ("TRUSTED_PROXIES", "128.0.0.0/1,0.0.0.0/1"),
    ],
)
def test_what_is_set_but_protects_nothing_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(ConfigurationError, match=name):
        Config.from_env()


def test_the_lab_works_without_any_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PRODUCTION_ENVIRONMENT:
        monkeypatch.delenv(name)

    assert Config.from_env().profile is Profile.LAB
