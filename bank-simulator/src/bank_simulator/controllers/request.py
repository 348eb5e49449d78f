"""The dependencies of the application that answers the present request."""

from dataclasses import dataclass

from flask import current_app

from bank_simulator.config import Config
from bank_simulator.domain.bank_settings import BankSettings
from bank_simulator.domain.faults import FaultPlans

EXTENSION = "bank-simulator"


@dataclass(frozen=True, slots=True)
class Dependencies:
    config: Config
    settings: BankSettings
    fault_plans: FaultPlans


def current_dependencies() -> Dependencies:
    """Return what ``create_app`` put together."""
    dependencies: Dependencies = current_app.extensions[EXTENSION]
    return dependencies
