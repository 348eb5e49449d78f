"""The configuration of a service under test."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

from payment_service.config import Config, TimeLimits
from service_kit.process.config import Profile


def make_config(database_url: str, **changes: Any) -> Config:
    """Return the lab's configuration with short time limits; nothing of it points to anybody."""
    config = replace(
        Config.from_env(),
        profile=Profile.LAB,
        database_url=database_url,
        bank_url="http://127.0.0.1:1",
        fraud_service_url="http://127.0.0.1:1",
        notification_service_url="http://127.0.0.1:1",
        store_manager_orders_url="http://127.0.0.1:1/orders",
        worker_wake_address="127.0.0.1:9",
        fraud_silent_approve_below=Decimal("1000.00"),
        limits=TimeLimits(provider_s=1.0, ask_s=0.5),
    )
    return replace(config, **changes)
