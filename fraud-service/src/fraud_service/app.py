"""The only place where the parts of the service are put together."""

from flask import Flask
from service_kit.process import logs
from service_kit.web import standard_app

from fraud_service.config import Config
from fraud_service.controllers.assessments import assessments
from fraud_service.controllers.outcomes import BODY_LIMITS, outcomes
from fraud_service.controllers.request import EXTENSION, SERVICE_TOKEN, Dependencies
from fraud_service.extensions import db
from fraud_service.problems import PROBLEMS

# The caller waits 0.3 s; the rest lets an assessment end that a busy database delays, so that it can be read.
REQUEST_BUDGET_S = 2.0
BLUEPRINTS = (assessments, outcomes)


def create_app(config: Config | None = None) -> Flask:
    config = config or Config.from_env()
    logs.configure("fraud-service", secret_keys=("fingerprint",), level=config.log_level)
    app = Flask(__name__)
    api = standard_app.begin(
        app,
        db,
        config.database_url,
        title="Caisse fraud-service",
        description="Judges each attempt to pay: approve, challenge, review or decline, and says why.",
        body_limits=BODY_LIMITS,
    )
    api.spec.components.security_scheme(SERVICE_TOKEN, {"type": "http", "scheme": "bearer"})
    app.extensions[EXTENSION] = Dependencies(config)
    for blueprint in BLUEPRINTS:
        api.register_blueprint(blueprint)
    standard_app.require_token(app, BLUEPRINTS, config.service_token)
    standard_app.finish(app, PROBLEMS, budget_s=REQUEST_BUDGET_S)
    return app
