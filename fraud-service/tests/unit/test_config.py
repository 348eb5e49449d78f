"""Settings."""

import pytest
from fraud_service.config import Config
from fraud_service.values.inputs import CardsLimit, VelocityLimit
from service_kit.process.config import ConfigurationError

SETTINGS = (
    "AMOUNT_LIMITS",
    "CAISSE_PROFILE",
    "DATABASE_URL",
    "SERVICE_TOKEN",
    *(f"VELOCITY_{subject}_LIMIT" for subject in ("CARD", "USER", "IP")),
    *(f"VELOCITY_{subject}_WINDOW_S" for subject in ("CARD", "USER", "IP")),
    *(f"CARDS_{subject}_LIMIT" for subject in ("IP", "BIN")),
    *(f"CARDS_{subject}_WINDOW_S" for subject in ("IP", "BIN")),
    "WRONG_CVV_LIMIT",
    "WRONG_CVV_WINDOW_S",
)


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in SETTINGS:
        monkeypatch.delenv(name, raising=False)


def test_the_defaults_are_generous() -> None:
    thresholds = Config.from_env().thresholds

    assert thresholds.amount_minor == {"MAD": 10_000_000, "EUR": 1_000_000, "USD": 1_000_000, "*": 1_000_000}
    assert thresholds.velocity_card == VelocityLimit(10, 600)
    assert thresholds.velocity_user == VelocityLimit(30, 600)
    assert thresholds.velocity_ip == VelocityLimit(300, 600)
    assert thresholds.cards_ip == CardsLimit(20, 600)
    assert thresholds.cards_bin == CardsLimit(50, 600)
    # A class shares the documented card whose code is wrong.
    assert thresholds.wrong_cvv == VelocityLimit(100, 86_400)


def test_amount_limits_are_changed_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AMOUNT_LIMITS", "MAD=500,JPY=7")

    limits = Config.from_env().thresholds.amount_minor

    assert limits == {"MAD": 500, "JPY": 7, "EUR": 1_000_000, "USD": 1_000_000, "*": 1_000_000}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AMOUNT_LIMITS", "MAD=0"),
        ("VELOCITY_CARD_LIMIT", "0"),
        ("VELOCITY_IP_WINDOW_S", "-1"),
        ("CARDS_BIN_LIMIT", "0"),
        ("CARDS_IP_WINDOW_S", "0"),
        ("WRONG_CVV_LIMIT", "0"),
    ],
)
def test_a_limit_below_1_stops_the_start(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(ConfigurationError, match="at least 1"):
        Config.from_env()


def test_production_needs_a_token_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAISSE_PROFILE", "production")
    with pytest.raises(ConfigurationError, match="DATABASE_URL"):
        Config.from_env()

    monkeypatch.setenv("DATABASE_URL", "sqlite:////var/caisse/own.db")

    with pytest.raises(ConfigurationError, match="SERVICE_TOKEN"):
        Config.from_env()

    monkeypatch.setenv("SERVICE_TOKEN", "qzY0Zf7aWb1p0oPj1Wm3y6vKx2n8sLdE")

    assert Config.from_env().thresholds.wrong_cvv == VelocityLimit(10, 86_400)
