"""Alembic's entry: this service's tables, the kit's way of running them."""

from payment_service.models import (
    api_client,
    merchant,
    outbox_message,
    payment,
    payment_attempt,
    payment_event,
    signing_key,
)
from payment_service.models.base import Base
from service_kit.migrations import run_env

__all__ = [
    "api_client",
    "merchant",
    "outbox_message",
    "payment",
    "payment_attempt",
    "payment_event",
    "signing_key",
]

run_env(Base.metadata)
