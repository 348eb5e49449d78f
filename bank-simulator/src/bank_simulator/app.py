"""The composition root."""

from flask import Flask
from service_kit.process import logs
from service_kit.web import standard_app

from bank_simulator import models  # noqa: F401  the tables register themselves
from bank_simulator.config import Config
from bank_simulator.controllers.acs import acs
from bank_simulator.controllers.admin import admin
from bank_simulator.controllers.disputes import disputes
from bank_simulator.controllers.network import RequestIdConverter, network
from bank_simulator.controllers.request import EXTENSION, Dependencies
from bank_simulator.domain.accounts import KNOWN as KNOWN_ACCOUNTS
from bank_simulator.domain.bank_settings import BankSettings
from bank_simulator.domain.faults import FaultPlans
from bank_simulator.extensions import db
from bank_simulator.problems import PROBLEMS
from bank_simulator.schemas.admin import read_fault_plan
from bank_simulator.schemas.network import PUBLIC_URL

DESCRIPTION = (
    "The outside world for development and tests: a card network, client banks and the merchant bank. "
    "Every amount is a whole number of minor units. `request_id` makes every POST idempotent."
)
REQUEST_BUDGET_S = 10.0
BLUEPRINTS = (network, admin, disputes)


def create_app(config: Config | None = None) -> Flask:
    config = config or Config.from_env()
    logs.configure("bank-simulator", secret_keys=("number", "cvv"), level=config.log_level)
    app = Flask("bank_simulator")
    app.config[PUBLIC_URL] = config.public_url
    app.extensions[KNOWN_ACCOUNTS] = {}
    app.extensions[EXTENSION] = Dependencies(
        config,
        BankSettings(config.card_key, config.acs_session_s, config.decision_s),
        FaultPlans(config.faults, read_fault_plan),
    )
    api = standard_app.begin(app, db, config.database_url, title="bank-simulator", description=DESCRIPTION)
    api.spec.components.security_scheme("token", {"type": "http", "scheme": "bearer"})
    api.spec.options["security"] = [{"token": []}]
    app.url_map.converters["request_id"] = RequestIdConverter
    for blueprint in BLUEPRINTS:
        api.register_blueprint(blueprint)
    standard_app.require_token(app, BLUEPRINTS, config.bank_token, name="the bank's token")
    app.register_blueprint(acs)
    standard_app.finish(app, PROBLEMS, budget_s=REQUEST_BUDGET_S)
    return app
