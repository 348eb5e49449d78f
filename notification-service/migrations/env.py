"""Alembic's environment for this service's tree."""

from notification_service.models import Base
from service_kit.db.migrations import run_env

run_env(Base.metadata)
