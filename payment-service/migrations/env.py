"""Alembic's entry: this service's tables, the kit's way of running them."""

import importlib
import pkgutil

from payment_service import models
from payment_service.models.base import Base
from service_kit.db.migrations import run_env

# A table that no module was imported for would look as if it were to be dropped.
for module in pkgutil.walk_packages(models.__path__, f"{models.__name__}."):
    importlib.import_module(module.name)

run_env(Base.metadata)
