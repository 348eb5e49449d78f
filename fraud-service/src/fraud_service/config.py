"""All settings of the fraud-service, read once at start."""

from dataclasses import dataclass
from pathlib import Path

from environs import Env
from service_kit.process.config import (
    ConfigurationError,
    Profile,
    read_database_url,
    read_profile,
    read_secret,
)

from fraud_service.values.inputs import ANY_OTHER_CURRENCY, CardsLimit, Thresholds, VelocityLimit

# In minor units: 100,000.00 MAD and about as much elsewhere.
DEFAULT_AMOUNT_LIMITS = {"MAD": 10_000_000, "EUR": 1_000_000, "USD": 1_000_000, ANY_OTHER_CURRENCY: 1_000_000}

_DAY_S = 86_400
# A class shares the documented card whose code is wrong.
_WRONG_CVVS = {Profile.LAB: 100, Profile.PRODUCTION: 10}


@dataclass(frozen=True, slots=True)
class Config:
    profile: Profile
    database_url: str
    migrations_dir: Path
    service_token: str
    thresholds: Thresholds
    log_level: str

    @classmethod
    def from_env(cls) -> "Config":
        """Read the environment.

        Raises:
            ConfigurationError: a production service without a secret of its own, or a limit below 1.
            environs.EnvError: a value that cannot be read as what it should be.
        """
        env = Env()
        profile = read_profile(env)
        return cls(
            profile=profile,
            database_url=read_database_url(env, profile, "fraud-service"),
            migrations_dir=env.path("MIGRATIONS_DIR", Path(__file__).parents[2] / "migrations"),
            service_token=read_secret(env, profile, "SERVICE_TOKEN", "lab-service-token"),
            thresholds=Thresholds(
                amount_minor=_read_amount_limits(env),
                velocity_card=_velocity_limit(env, "CARD", attempts=10),
                velocity_user=_velocity_limit(env, "USER", attempts=30),
                velocity_ip=_velocity_limit(env, "IP", attempts=300),
                cards_ip=_cards_limit(env, "IP", cards=20),
                cards_bin=_cards_limit(env, "BIN", cards=50),
                wrong_cvv=VelocityLimit(
                    attempts=_at_least_1("WRONG_CVV_LIMIT", env.int("WRONG_CVV_LIMIT", _WRONG_CVVS[profile])),
                    window_s=_at_least_1("WRONG_CVV_WINDOW_S", env.int("WRONG_CVV_WINDOW_S", _DAY_S)),
                ),
            ),
            log_level=env.str("LOG_LEVEL", "INFO"),
        )


def _read_amount_limits(env: Env) -> dict[str, int]:
    """Read ``AMOUNT_LIMITS`` such as ``MAD=10000000,*=1000000``; what it does not name keeps its default."""
    given: dict[str, int] = env.dict("AMOUNT_LIMITS", {}, subcast_values=int)
    limits = {**DEFAULT_AMOUNT_LIMITS, **given}
    for currency, limit in limits.items():
        _at_least_1(f"AMOUNT_LIMITS of {currency}", limit)
    return limits


def _velocity_limit(env: Env, subject: str, *, attempts: int) -> VelocityLimit:
    return VelocityLimit(
        attempts=_at_least_1(f"VELOCITY_{subject}_LIMIT", env.int(f"VELOCITY_{subject}_LIMIT", attempts)),
        window_s=_at_least_1(f"VELOCITY_{subject}_WINDOW_S", env.int(f"VELOCITY_{subject}_WINDOW_S", 600)),
    )


def _cards_limit(env: Env, subject: str, *, cards: int) -> CardsLimit:
    return CardsLimit(
        cards=_at_least_1(f"CARDS_{subject}_LIMIT", env.int(f"CARDS_{subject}_LIMIT", cards)),
        window_s=_at_least_1(f"CARDS_{subject}_WINDOW_S", env.int(f"CARDS_{subject}_WINDOW_S", 600)),
    )


def _at_least_1(name: str, value: int) -> int:
    if value < 1:
        raise ConfigurationError(f"{name} is {value}; it must be at least 1.")
    return value
