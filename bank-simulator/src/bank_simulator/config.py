"""All settings of the bank-simulator, read once at start."""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from environs import Env
from marshmallow import ValidationError
from service_kit.process.config import (
    ConfigurationError,
    Profile,
    is_webhook_secret,
    read_database_url,
    read_profile,
    read_secret,
)
from service_kit.web.strict_json import MalformedJson

from bank_simulator.schemas.admin import read_fault_plan
from bank_simulator.values.fault_plan import FaultPlan

LAB_WEBHOOK_SECRET = "whsec_bGFiLWJhbmstd2ViaG9vay1zZWNyZXQtMzItYnl0ZXM="  # noqa: S105  for everybody to read


@dataclass(frozen=True, slots=True)
class Config:
    """Settings; the environment's names are in docs/settings.md.

    ``slow_answer_s`` is the slow card's pause, ``public_url`` where a cardholder's browser reaches the
    simulator, ``webhook_url`` where its events go.
    """

    database_url: str
    migrations_dir: Path
    bank_token: str
    card_key: str
    slow_answer_s: float
    public_url: str
    acs_session_s: float
    decision_s: float
    webhook_url: str
    webhook_secret: str
    faults: FaultPlan
    log_level: str

    @classmethod
    def from_env(cls) -> "Config":
        """Read the environment.

        Raises:
            ConfigurationError: a value is not what it should be, or a production simulator would use a
                secret that everybody knows.
        """
        env = Env()
        profile = read_profile(env)
        return cls(
            database_url=read_database_url(env, profile, "bank-simulator"),
            migrations_dir=env.path("MIGRATIONS_DIR", Path(__file__).parents[2] / "migrations"),
            bank_token=read_secret(env, profile, "BANK_TOKEN", "lab-bank-token"),
            card_key=read_secret(env, profile, "BANK_CARD_KEY", "lab-card-key"),
            slow_answer_s=env.float("BANK_SLOW_ANSWER_S", 8.0),
            public_url=_read_url(env, "SIMULATOR_PUBLIC_URL", "http://127.0.0.1:5012"),
            acs_session_s=env.float("ACS_SESSION_S", 600.0),
            decision_s=env.float("BANK_DECISION_S", 30.0),
            webhook_url=_read_url(
                env, "BANK_WEBHOOK_URL", "http://127.0.0.1:8080/provider-webhooks/bank-simulator"
            ),
            webhook_secret=_read_webhook_secret(env, profile),
            faults=_read_faults(env.str("BANK_FAULTS", "") or "{}"),
            log_level=env.str("LOG_LEVEL", "INFO"),
        )


def _read_faults(text: str) -> FaultPlan:
    try:
        return read_fault_plan(text)
    except (MalformedJson, ValidationError) as exc:
        raise ConfigurationError(f"BANK_FAULTS is not a fault plan: {exc}") from exc


def _read_url(env: Env, name: str, default: str) -> str:
    url: str = env.str(name, "") or default
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise ConfigurationError(f"{name} is {url!r}; it must be an address such as {default}.")
    return url.rstrip("/")


def _read_webhook_secret(env: Env, profile: Profile) -> str:
    secret = read_secret(env, profile, "BANK_WEBHOOK_SECRET", LAB_WEBHOOK_SECRET)
    if not is_webhook_secret(secret):
        raise ConfigurationError("BANK_WEBHOOK_SECRET must be whsec_ and base64 of 24 to 64 bytes.")
    return secret
