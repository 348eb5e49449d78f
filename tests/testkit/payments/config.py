"""The configuration of a service under test."""

import base64
from dataclasses import fields, replace
from decimal import Decimal
from typing import Any

from payment_service.config import Config, TimeLimits
from service_kit.process.config import Profile

# So long nobody waits in a test: only what a test lets pass on purpose is ever over.
PATIENT_S = 120.0
PATIENT = TimeLimits(
    request_s=PATIENT_S,
    processing_s=PATIENT_S,
    provider_s=PATIENT_S,
    fraud_s=PATIENT_S,
    shop_s=PATIENT_S,
    notification_s=PATIENT_S,
    ask_s=PATIENT_S,
    send_within_s=PATIENT_S,
    # The second request often comes in the middle of the first one, which waits for its answer.
    repeat_wait_s=0.0,
)
# The same for a process of its own.
PATIENT_ENVIRONMENT = {
    "WEB_REQUEST_WITHIN_S": str(PATIENT_S),
    **{
        f"LIMIT_{limit.name.upper()}": str(getattr(PATIENT, limit.name))
        for limit in fields(TimeLimits)
        if getattr(PATIENT, limit.name) == PATIENT_S != limit.default
    },
}


def make_config(database_url: str, **changes: Any) -> Config:
    """Return the lab's configuration with more time than anything takes; nothing of it points to anybody."""
    config = replace(
        Config.from_env(),
        profile=Profile.LAB,
        database_url=database_url,
        bank_url="http://127.0.0.1:1",
        fraud_service_url="http://127.0.0.1:1",
        notification_service_url="http://127.0.0.1:1",
        store_manager_orders_url="http://127.0.0.1:1/orders",
        worker_wake_address="127.0.0.1:9",
        fraud_silent_approve_below={"MAD": Decimal("1000.00")},
        limits=PATIENT,
    )
    return replace(config, **changes)


# What production starts with.
PRODUCTION_SECRETS = (
    *("SERVICE_TOKEN", "BANK_TOKEN", "CARD_FINGERPRINT_KEY", "EVENT_KEY"),
    *("TOKEN_KEY_ENCRYPTION_KEY", "CLIENT_SECRET_KEY"),
)
_WELL_MADE = "qzY0Zf7aWb1p0oPj1Wm3y6vKx2n8sLdE"
_A_KEY = base64.b64encode(bytes(range(32))).decode()
PRODUCTION_ENVIRONMENT = {
    "CAISSE_PROFILE": "production",
    "DATABASE_URL": "mysql+pymysql://payments:m4F-a9s2kLx@db.internal/payments",
    **{name: f"{_WELL_MADE}{number}" for number, name in enumerate(PRODUCTION_SECRETS)},
    "BANK_WEBHOOK_SECRETS": f"whsec_{_A_KEY}",
    "VAULT_KEYS": f"2026:{_A_KEY}",
    "PUBLIC_BASE_URL": "https://pay.shop.example",
    "TRUSTED_PROXIES": "10.2.0.0/16,fd00:1::/48",
}
