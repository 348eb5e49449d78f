"""Alembic's entry point."""

from bank_simulator.models import Base
from service_kit.db.migrations import run_env

run_env(Base.metadata)
