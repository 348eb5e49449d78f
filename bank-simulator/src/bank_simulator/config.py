"""The simulator's settings."""

from dataclasses import dataclass, field
from pathlib import Path

from environs import Env
from marshmallow import ValidationError
from service_kit.config import ConfigurationError, Profile, read_database_url, read_profile, read_secret
from service_kit.strict_json import MalformedJson

from bank_simulator.schemas.admin import read_fault_plan
from bank_simulator.values.fault_plan import FaultPlan

MIGRATIONS = Path(__file__).parents[2] / "migrations"


@dataclass(frozen=True, slots=True)
class Config:
    """Everything that can differ between two simulators; ``slow_answer_s`` is the slow card's pause."""

    database_url: str
    migrations_dir: Path = MIGRATIONS
    bank_token: str = "lab-bank-token"  # noqa: S105  the lab's well-known one; production refuses it
    card_key: str = "lab-card-key"
    slow_answer_s: float = 8.0
    faults: FaultPlan = field(default_factory=FaultPlan)
    log_level: str = "INFO"

    @classmethod
    def from_env(cls) -> "Config":
        """Read the environment.

        Raises:
            ConfigurationError: ``BANK_FAULTS`` is not a fault plan, or a production simulator would use a
                secret that everybody knows.
        """
        env = Env()
        profile: Profile = read_profile(env)
        return cls(
            database_url=read_database_url(env, "bank-simulator"),
            migrations_dir=env.path("MIGRATIONS_DIR", MIGRATIONS),
            bank_token=read_secret(env, profile, "BANK_TOKEN", "lab-bank-token"),
            card_key=read_secret(env, profile, "BANK_CARD_KEY", "lab-card-key"),
            slow_answer_s=env.float("BANK_SLOW_ANSWER_S", 8.0),
            faults=_read_faults(env.str("BANK_FAULTS", "") or "{}"),
            log_level=env.str("LOG_LEVEL", "INFO"),
        )


def _read_faults(text: str) -> FaultPlan:
    try:
        return read_fault_plan(text)
    except (MalformedJson, ValidationError) as exc:
        raise ConfigurationError(f"BANK_FAULTS is not a fault plan: {exc}") from exc
