"""Alembic's entry: this service's tables, the kit's way of running them."""

from payment_service.models import merchant, outbox_message, payment, payment_attempt, payment_event
from payment_service.models.base import Base
from service_kit.migrations import run_env

__all__ = ["merchant", "outbox_message", "payment", "payment_attempt", "payment_event"]

run_env(Base.metadata)
