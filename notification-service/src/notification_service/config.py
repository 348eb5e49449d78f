"""All settings of the notification-service, read once at start."""

from dataclasses import dataclass
from email.utils import parseaddr
from pathlib import Path
from zoneinfo import ZoneInfo

from environs import Env
from service_kit.email_addresses import AddressNotUsable, email_address
from service_kit.process.config import (
    ConfigurationError,
    Profile,
    read_address,
    read_database_url,
    read_display_time_zone,
    read_profile,
    read_secret,
)

from notification_service.values.email_address import check_pattern
from notification_service.values.safe_text import is_single_line
from notification_service.values.smtp_server import SmtpServer, parse_smtp_url


@dataclass(frozen=True, slots=True)
class Config:
    """Settings; the environment's names are in docs/settings.md.

    ``smtp`` is None where no server is configured: e-mails then become files in ``outbox_dir``.
    ``lab_receipt_address`` is empty where nobody's address is to be made up.
    """

    database_url: str
    migrations_dir: Path
    outbox_dir: Path
    service_token: str
    smtp: SmtpServer | None
    mail_from: str
    lab_receipt_address: str
    time_zone: ZoneInfo
    worker_wake_address: str
    delivery_concurrency: int
    delivery_lease_s: float
    log_level: str

    @classmethod
    def from_env(cls) -> "Config":
        """Read the environment.

        Raises:
            ConfigurationError: a value that this service cannot work with; the message says which.
        """
        env = Env()
        profile = read_profile(env)
        return cls(
            database_url=read_database_url(env, profile, "notification-service"),
            migrations_dir=env.path("MIGRATIONS_DIR", Path(__file__).parents[2] / "migrations"),
            outbox_dir=Path(env.str("OUTBOX_DIR", "") or ".run/mail").absolute(),
            service_token=read_secret(env, profile, "SERVICE_TOKEN", "lab-service-token"),
            smtp=_read_smtp(env, profile),
            mail_from=_read_mail_from(env.str("MAIL_FROM", "") or "Caisse <no-reply@caisse.example>"),
            lab_receipt_address=_read_lab_receipt_address(env, profile),
            time_zone=read_display_time_zone(env),
            worker_wake_address=read_address(env, "WORKER_WAKE_ADDRESS", "127.0.0.1:5911"),
            delivery_concurrency=env.int("DELIVERY_CONCURRENCY", 8),
            delivery_lease_s=env.float("DELIVERY_LEASE_S", 90.0),
            log_level=env.str("LOG_LEVEL", "INFO"),
        )


def _read_smtp(env: Env, profile: Profile) -> SmtpServer | None:
    url = env.str("SMTP_URL", "")
    if not url:
        return None
    try:
        server = parse_smtp_url(url, timeout_s=env.float("SMTP_TIMEOUT_S", 10.0))
    except ValueError as exc:
        raise ConfigurationError(f"SMTP_URL cannot be used: {exc}") from exc
    if profile is Profile.PRODUCTION and server.user and not server.is_encrypted:
        raise ConfigurationError(
            "SMTP_URL would send a password in clear: use smtps:// or ?starttls=required."
        )
    return server


def _read_mail_from(text: str) -> str:
    _, address = parseaddr(text)
    try:
        email_address(address)
    except AddressNotUsable as exc:
        raise ConfigurationError(f"MAIL_FROM: {exc}") from exc
    if not is_single_line(text):
        raise ConfigurationError("MAIL_FROM must be one line.")
    return text


def _read_lab_receipt_address(env: Env, profile: Profile) -> str:
    default = "user-{user_id}@shop.example" if profile is Profile.LAB else ""
    pattern: str = env.str("LAB_RECEIPT_ADDRESS", default)
    try:
        if pattern:
            check_pattern(pattern)
    except AddressNotUsable as exc:
        raise ConfigurationError(f"LAB_RECEIPT_ADDRESS: {exc}") from exc
    return pattern
