"""Alembic's entry point."""

from bank_simulator.models import Base
from service_kit.migrations import run_env

run_env(Base.metadata)
