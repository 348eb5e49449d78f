"""All settings of the payment-service, read once at start."""

import base64
import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from environs import Env, validate
from service_kit.currencies import is_currency
from service_kit.process.config import (
    ConfigurationError,
    Profile,
    is_monotonous,
    is_webhook_secret,
    read_address,
    read_amounts,
    read_database_url,
    read_display_time_zone,
    read_profile,
    read_secret,
    refuse_equal_secrets,
)

# Base64 of a text that everybody can read here, which is the point.
LAB_VAULT_KEYS = "lab:bGFiLXZhdWx0LWtleS10aGF0LWFsbC1tYXkta25vdyE="
_VAULT_KEY_ID = re.compile(r"[A-Za-z0-9._-]{1,32}")
# 10.0.0.0/8 is a company's own network; a shorter prefix is half the world's.
_WIDEST_PREFIX = {4: 8, 6: 32}
_VAULT_KEY_BYTES = 32  # AES-256
SHORTEST_KEPT_DAYS = 8
# More than the bank may hold (BANK_MAX_CONCURRENT): a slow bank cannot take every thread.
WEB_THREADS = 32
_LONGEST_EVENT_KEY_ID = 16  # of the column that holds it

IpNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network
# "lab-bank-webhook-secret-32-bytes": what the lab's simulator signs with.
LAB_WEBHOOK_SECRET = "whsec_bGFiLWJhbmstd2ViaG9vay1zZWNyZXQtMzItYnl0ZXM="  # noqa: S105  for everybody to read


@dataclass(frozen=True, slots=True)
class TimeLimits:
    """Every time limit: the budget, the janitor, waiting, in seconds, so that tests can shrink them."""

    request_s: float = 4.0
    processing_s: float = 8.0
    provider_s: float = 6.0
    fraud_s: float = 0.3
    shop_s: float = 6.0
    notification_s: float = 4.0
    ask_s: float = 2.0
    send_within_s: float = 2.0
    busy_grace_s: float = 6.0
    clock_margin_s: float = 20.0
    ask_lease_s: float = 30.0
    idempotency_lease_s: float = 30.0
    repeat_wait_s: float = 7.0
    asks_after_s: tuple[float, ...] = (10, 30, 60, 300, 900)
    asks_hourly_s: float = 3600.0
    asks_daily_s: float = 86400.0
    janitor_turn_s: float = 1.0
    expiry_turn_s: float = 60.0
    snapshot_lag_s: float = 120.0
    snapshot_turn_s: float = 15.0
    gap_s: float = 600.0
    position_turn_s: float = 0.2
    feed_turn_s: float = 0.5
    pruning_turn_s: float = 60.0
    payment_s: float = 86_400.0
    requires_action_s: float = 900.0
    in_review_s: float = 86_400.0
    hold_s: float = 604_800.0


@dataclass(frozen=True, slots=True)
class Config:
    """Settings; the environment's names are in docs/settings.md."""

    profile: Profile
    database_url: str
    migrations_dir: Path
    service_token: str
    bank_url: str
    bank_token: str
    bank_webhook_secrets: tuple[str, ...]
    fraud_service_url: str
    notification_service_url: str
    store_manager_orders_url: str
    worker_wake_address: str
    lab_currency: str
    lab_payment_lifetime: timedelta
    idempotency_keys_kept: timedelta
    messages_kept: timedelta
    pans_without_luhn: frozenset[str]
    fraud_silent_approve_below: Mapping[str, Decimal]
    cards_per_payment: int
    card_fingerprint_key: bytes
    card_fingerprint_old_keys: tuple[bytes, ...]
    event_key_id: str
    event_key: bytes
    event_old_keys: Mapping[str, bytes]
    public_base_url: str
    display_time_zone: ZoneInfo
    token_key_encryption_key: bytes
    client_secret_key: bytes
    vault_keys: Mapping[str, bytes]
    trusted_proxies: tuple[IpNetwork, ...]
    bank_max_concurrent: int
    web_threads: int
    limits: TimeLimits
    log_level: str

    @property
    def event_keys(self) -> Mapping[str, bytes]:
        """Every key that sealed events, by its id."""
        return {**self.event_old_keys, self.event_key_id: self.event_key}

    @classmethod
    def from_env(cls) -> "Config":
        """Read the environment.

        Raises:
            ConfigurationError: a secret of our own is missing, or a currency, network or address is none.
            environs.EnvError: a value that cannot be read as what it should be.
        """
        env = Env()
        profile = read_profile(env)
        config = cls(
            profile=profile,
            database_url=read_database_url(env, profile, "payment-service"),
            migrations_dir=env.path("MIGRATIONS_DIR", Path(__file__).parents[2] / "migrations"),
            service_token=read_secret(env, profile, "SERVICE_TOKEN", "lab-service-token"),
            bank_url=env.str("BANK_URL", "http://127.0.0.1:5012"),
            bank_token=read_secret(env, profile, "BANK_TOKEN", "lab-bank-token"),
            bank_webhook_secrets=_read_webhook_secrets(env, profile, "BANK_WEBHOOK_SECRETS"),
            fraud_service_url=env.str("FRAUD_SERVICE_URL", "http://127.0.0.1:5010"),
            notification_service_url=env.str("NOTIFICATION_SERVICE_URL", "http://127.0.0.1:5011"),
            store_manager_orders_url=env.str(
                "STORE_MANAGER_ORDERS_URL", "http://127.0.0.1:8080/store-manager-api/orders"
            ),
            worker_wake_address=read_address(env, "WORKER_WAKE_ADDRESS", "127.0.0.1:5909"),
            lab_currency=_read_currency(env, "LAB_CURRENCY", "MAD"),
            lab_payment_lifetime=timedelta(days=env.int("LAB_PAYMENT_LIFETIME_DAYS", 30)),
            idempotency_keys_kept=timedelta(hours=env.int("IDEMPOTENCY_KEYS_KEPT_H", 24)),
            messages_kept=_read_messages_kept(env, "MESSAGES_KEPT_DAYS"),
            pans_without_luhn=frozenset(env.list("PANS_WITHOUT_LUHN", ["9999999999999"])),
            fraud_silent_approve_below=read_amounts(
                env, "FRAUD_SILENT_APPROVE_BELOW", "MAD=1000.00,EUR=100.00,USD=100.00"
            ),
            cards_per_payment=env.int("CARDS_PER_PAYMENT_LIMIT", 10, validate=validate.Range(min=1)),
            card_fingerprint_key=_read_key(env, profile, "CARD_FINGERPRINT_KEY", "lab-card-fingerprint-key"),
            card_fingerprint_old_keys=_read_old_keys(env, "CARD_FINGERPRINT_OLD_KEYS"),
            event_key_id=_read_event_key_id(env),
            event_key=_read_key(env, profile, "EVENT_KEY", "lab-event-key"),
            event_old_keys=_read_old_event_keys(env, "EVENT_OLD_KEYS"),
            public_base_url=_read_public_base_url(env, profile),
            display_time_zone=read_display_time_zone(env),
            token_key_encryption_key=_read_key(
                env, profile, "TOKEN_KEY_ENCRYPTION_KEY", "lab-token-key-encryption-key"
            ),
            client_secret_key=_read_key(env, profile, "CLIENT_SECRET_KEY", "lab-client-secret-key"),
            vault_keys=_read_vault_keys(env, profile),
            trusted_proxies=_read_proxies(env, profile, "TRUSTED_PROXIES"),
            bank_max_concurrent=env.int("BANK_MAX_CONCURRENT", 16),
            web_threads=env.int("WEB_THREADS", WEB_THREADS),
            limits=_read_limits(env),
            log_level=env.str("LOG_LEVEL", "INFO"),
        )
        refuse_equal_secrets(
            profile,
            {
                "SERVICE_TOKEN": config.service_token,
                "BANK_TOKEN": config.bank_token,
                "CARD_FINGERPRINT_KEY": config.card_fingerprint_key.decode(),
                "EVENT_KEY": config.event_key.decode(),
                "TOKEN_KEY_ENCRYPTION_KEY": config.token_key_encryption_key.decode(),
                "CLIENT_SECRET_KEY": config.client_secret_key.decode(),
            },
        )
        return config


def _read_key(env: Env, profile: Profile, name: str, lab_default: str) -> bytes:
    return read_secret(env, profile, name, lab_default).encode()


def _decode(text: str) -> bytes:
    """Return the bytes behind base64, none where it is no base64."""
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        return b""


def _read_currency(env: Env, name: str, default: str) -> str:
    code: str = env.str(name, default)
    if not is_currency(code):
        raise ConfigurationError(f"{name} is {code!r}; it must be an ISO 4217 code such as MAD.")
    return code


def _read_messages_kept(env: Env, name: str) -> timedelta:
    """Read a number of days, longer than a bank repeats an event that we know by its row."""
    days: int = env.int(name, 30)
    if days < SHORTEST_KEPT_DAYS:
        raise ConfigurationError(f"{name} is {days}; it must be at least {SHORTEST_KEPT_DAYS}.")
    return timedelta(days=days)


def _read_proxies(env: Env, profile: Profile, name: str) -> tuple[IpNetwork, ...]:
    """Read the networks of the gateways; without them no payer has an address, which production needs."""
    texts: list[str] = env.list(name, [])
    try:
        networks = tuple(ipaddress.ip_network(text.strip()) for text in texts)
    except ValueError as exc:
        raise ConfigurationError(f"{name}: {exc}.") from exc
    is_everybody = any(network.prefixlen < _WIDEST_PREFIX[network.version] for network in networks)
    if profile is Profile.PRODUCTION and (not networks or is_everybody):
        raise ConfigurationError(
            f"{name} must name the networks of the gateways in front, and no wider ones, in the production "
            "profile: whose X-Forwarded-For is believed could write any address there."
        )
    return networks


def _read_vault_keys(env: Env, profile: Profile) -> Mapping[str, bytes]:
    """Read ``id:base64,id:base64,…``: the key-encryption keys of the vault, of which the first seals."""
    text = read_secret(env, profile, "VAULT_KEYS", LAB_VAULT_KEYS)
    keys: dict[str, bytes] = {}
    for part in text.split(","):
        key_id, _, encoded = part.strip().partition(":")
        key = _decode(encoded)
        if not _VAULT_KEY_ID.fullmatch(key_id) or key_id in keys or len(key) != _VAULT_KEY_BYTES:
            # The text itself is a secret: only its shape may be shown.
            raise ConfigurationError(
                "VAULT_KEYS must be id:key, or several with a comma between: ids of up to 32 letters, "
                "digits, dots, dashes or underscores, each once, and keys of 32 bytes in base64."
            )
        is_known = key == _decode(LAB_VAULT_KEYS.partition(":")[2]) or is_monotonous(key)
        if profile is Profile.PRODUCTION and is_known:
            raise ConfigurationError("VAULT_KEYS holds the lab's key, or one that was not drawn by chance.")
        keys[key_id] = key
    return keys


def _read_old_keys(env: Env, name: str) -> tuple[bytes, ...]:
    """Read keys, a comma between, with which nothing new is made any more."""
    keys: list[str] = env.list(name, [])
    if not all(keys):
        raise ConfigurationError(f"{name} must be one key, or several with a comma between.")
    return tuple(key.encode() for key in keys)


def _read_event_key_id(env: Env) -> str:
    key_id: str = env.str("EVENT_KEY_ID", "1")
    if not 0 < len(key_id) <= _LONGEST_EVENT_KEY_ID:
        raise ConfigurationError(f"EVENT_KEY_ID must have 1 to {_LONGEST_EVENT_KEY_ID} characters.")
    return key_id


def _read_old_event_keys(env: Env, name: str) -> Mapping[str, bytes]:
    """Read ``id:key,id:key,…``: keys that sealed events once, and seal none any more."""
    parts: list[str] = env.list(name, [])
    keys = {key_id.strip(): key.encode() for key_id, _, key in (part.partition(":") for part in parts)}
    if len(keys) != len(parts) or not all(key_id and key for key_id, key in keys.items()):
        # The text itself is a secret: only its shape may be shown.
        raise ConfigurationError(f"{name} must be id:key, or several with a comma between, each id once.")
    if _read_event_key_id(env) in keys:
        raise ConfigurationError(
            f"{name} holds the id of the present key: a new key needs a new EVENT_KEY_ID."
        )
    return keys


def _read_public_base_url(env: Env, profile: Profile) -> str:
    """Read where the world reaches the gateway: the issuer of our tokens, never taken from a request."""
    url: str = env.str("PUBLIC_BASE_URL", "http://127.0.0.1:8080" if profile is Profile.LAB else "")
    if not re.fullmatch(r"https?://[^/\s]+(/[^\s?#]*)?", url):
        raise ConfigurationError(
            f"PUBLIC_BASE_URL is {url!r}; it must be where the gateway is reached, such as https://pay.shop.ma"
        )
    parts = urlsplit(url)
    is_local = parts.hostname in {"localhost", "127.0.0.1", "::1"}
    if profile is Profile.PRODUCTION and (parts.scheme != "https" or is_local):
        raise ConfigurationError(
            "PUBLIC_BASE_URL must be https:// and a host that payers reach, in the production profile."
        )
    return url.rstrip("/")


def _read_webhook_secrets(env: Env, profile: Profile, name: str) -> tuple[str, ...]:
    """Read secrets of Standard Webhooks (``whsec_`` and base64 of 24 to 64 bytes); all are valid at once."""
    lab_default = [LAB_WEBHOOK_SECRET] if profile is Profile.LAB else []
    given: list[str] = env.list(name, lab_default)
    secrets = tuple(text.strip() for text in given)
    if not secrets or not all(is_webhook_secret(secret) for secret in secrets):
        raise ConfigurationError(
            f"{name} must hold one secret or several, a comma between: whsec_ and base64 of 24 to 64 bytes."
        )
    is_known = any(
        secret == LAB_WEBHOOK_SECRET or is_monotonous(_decode(secret.removeprefix("whsec_")))
        for secret in secrets
    )
    if profile is Profile.PRODUCTION and is_known:
        raise ConfigurationError(
            f"{name} must not hold the lab's secret, nor one that was not drawn by chance, in the production "
            "profile."
        )
    return secrets


def _read_limits(env: Env) -> TimeLimits:
    """Read ``LIMIT_<NAME>`` for each limit that is set, such as ``LIMIT_PROVIDER_S=1.5``."""
    values: dict[str, Any] = {}
    for name in TimeLimits.__dataclass_fields__:
        variable = f"LIMIT_{name.upper()}"
        if name == "asks_after_s":
            delays_s = env.list(variable, None, subcast=float)
            values[name] = None if delays_s is None else tuple(delays_s)
        else:
            values[name] = env.float(variable, None)
    return TimeLimits(**{name: value for name, value in values.items() if value is not None})
