"""Alembic's entry point for this service's tables."""

from fraud_service.models import Base
from service_kit.db.migrations import run_env

run_env(Base.metadata)
