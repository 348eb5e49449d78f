"""Reading a service's configuration from the environment, once, at start."""

import base64
import re
from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from environs import Env
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from service_kit.currencies import is_currency
from service_kit.decimals import read_decimal

_SHORTEST_SECRET = 24
_FEWEST_DIFFERENT = 8
_DRIVERS = frozenset({"sqlite", "sqlite+pysqlite", "mysql+pymysql", "mariadb+pymysql"})
_WRONG_DATABASE_URL = "DATABASE_URL must be an address such as sqlite:////folder/file.db or mysql+pymysql://user:password@host/name."
_AMOUNT = re.compile(r"[0-9]{1,12}(\.[0-9]{1,4})?")


class Profile(StrEnum):
    """``lab`` has everything and works out of the box; ``production`` accepts no default secret."""

    LAB = "lab"
    PRODUCTION = "production"


class ConfigurationError(Exception):
    """The environment does not hold what the service needs; the message says what to set."""


def read_profile(env: Env) -> Profile:
    """Read ``CAISSE_PROFILE`` (default ``lab``).

    Raises:
        ConfigurationError: it is neither of the two.
    """
    name = env.str("CAISSE_PROFILE", Profile.LAB)
    try:
        return Profile(name)
    except ValueError as exc:
        raise ConfigurationError(f"CAISSE_PROFILE is {name!r}; it can be lab or production.") from exc


def read_secret(env: Env, profile: Profile, name: str, lab_default: str) -> str:
    """Read a secret; in production it must be one that nobody can read here, nor guess.

    Raises:
        ConfigurationError: a production service would start with a secret that is none.
    """
    value: str = env.str(name, lab_default if profile is Profile.LAB else "")
    text = value.strip()
    is_known = text.casefold() in {"", lab_default.casefold()}
    if profile is Profile.PRODUCTION and (is_known or len(text) < _SHORTEST_SECRET or is_monotonous(text)):
        raise ConfigurationError(
            f"{name} must be set to a secret of your own in the production profile: {_SHORTEST_SECRET} "
            "characters or more, by chance. `openssl rand -base64 32` makes one."
        )
    return value


def is_monotonous(secret: str | bytes) -> bool:
    """Whether it has so few different characters or bytes that it was not drawn by chance."""
    return len(set(secret)) < _FEWEST_DIFFERENT


def refuse_equal_secrets(profile: Profile, secrets: Mapping[str, str | bytes]) -> None:
    """Let no secret serve for two things in production: who learns one would have the other.

    Raises:
        ConfigurationError: names the settings that are the same.
    """
    names: dict[str | bytes, list[str]] = {}
    for name, value in secrets.items():
        names.setdefault(value.strip(), []).append(name)
    for same in names.values():
        if profile is Profile.PRODUCTION and len(same) > 1:
            raise ConfigurationError(f"{' and '.join(same)} must not be the same in the production profile.")


def is_webhook_secret(text: str) -> bool:
    """Whether it is a secret as Standard Webhooks wants it: ``whsec_`` and base64 of 24 to 64 bytes."""
    try:
        key = base64.b64decode(text.removeprefix("whsec_"), validate=True)
    except ValueError:
        return False
    return text.startswith("whsec_") and 24 <= len(key) <= 64


def read_database_url(env: Env, profile: Profile, service: str) -> str:
    """Read ``DATABASE_URL``; without it, the lab has a SQLite file of the service's name in ``.run``.

    A SQLite path is made absolute, because Flask-SQLAlchemy would take it from another folder than ours.

    Raises:
        ConfigurationError: it is no such address, or production has none of its own; the message leaves it
            out, as it may hold a password.
    """
    url: str = env.str("DATABASE_URL", "") or (
        "" if profile is Profile.PRODUCTION else f"sqlite:///.run/{service}.db"
    )
    try:
        parsed = make_url(url)
    except ArgumentError as exc:
        raise ConfigurationError(_WRONG_DATABASE_URL) from exc
    if parsed.drivername not in _DRIVERS:
        raise ConfigurationError(_WRONG_DATABASE_URL)
    if profile is Profile.PRODUCTION and (parsed.password or "").startswith("lab-"):
        raise ConfigurationError("DATABASE_URL holds the lab's password, which everybody knows.")
    if parsed.get_backend_name() != "sqlite" or not parsed.database or parsed.database == ":memory:":
        return url
    return parsed.set(database=str(Path(parsed.database).absolute())).render_as_string(hide_password=False)


def read_address(env: Env, name: str, default: str) -> str:
    """Read a ``host:port``.

    Raises:
        ConfigurationError: it is something else.
    """
    address: str = env.str(name, default)
    try:
        parse_address(address)
    except ValueError as exc:
        raise ConfigurationError(f"{name} is {address!r}; it must be host:port.") from exc
    return address


def parse_address(text: str) -> tuple[str, int]:
    """Split ``host:port``.

    Raises:
        ValueError: there is no port.
    """
    host, separator, port = text.rpartition(":")
    if not separator:
        raise ValueError(f"{text!r} is not host:port")
    return host, int(port)


def read_amounts(env: Env, name: str, default: str) -> dict[str, Decimal]:
    """Read an amount in major units for each currency, as ``MAD=1000.00,EUR=100``; an empty text is none.

    Raises:
        ConfigurationError: something is no currency, or no plain decimal of up to 12 digits and 4 decimals.
    """
    text: str = env.str(name, default)
    amounts: dict[str, Decimal] = {}
    for part in filter(None, text.split(",")):
        currency, _, number = (word.strip() for word in part.partition("="))
        amount = read_decimal(number, _AMOUNT)
        if amount is None or not is_currency(currency) or currency in amounts:
            raise ConfigurationError(
                f"{name} is {text!r}; it must be amounts by currency, such as MAD=1000.00,EUR=100."
            )
        amounts[currency] = amount
    return amounts


def read_display_time_zone(env: Env) -> ZoneInfo:
    """Read ``DISPLAY_TIME_ZONE``, on whose clocks people read times: on pages as in e-mails.

    Raises:
        ConfigurationError: there is no such zone.
    """
    name: str = env.str("DISPLAY_TIME_ZONE", "Africa/Casablanca")
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as exc:
        raise ConfigurationError(
            f"DISPLAY_TIME_ZONE {name!r} is no time zone, such as Africa/Casablanca."
        ) from exc
