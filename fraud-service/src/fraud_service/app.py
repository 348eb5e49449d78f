"""The only place where the parts of the service are put together."""

from collections.abc import Callable
from datetime import datetime

from flask import Flask
from service_kit.clock import utc_now
from service_kit.process import logs
from service_kit.web import standard_app

from fraud_service.config import Config
from fraud_service.controllers.assessments import SERVICE_TOKEN, assessments_blueprint
from fraud_service.controllers.outcomes import BODY_LIMITS, outcomes_blueprint
from fraud_service.extensions import db
from fraud_service.problems import PROBLEMS

# The caller waits 0.3 s; the rest lets a judgement end that a busy database holds up, so that it can be read.
REQUEST_BUDGET_S = 2.0


def create_app(config: Config | None = None, *, clock: Callable[[], datetime] = utc_now) -> Flask:
    """Return the service; ``clock`` gives the UTC time at which an attempt is judged."""
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
    api.register_blueprint(assessments_blueprint(config.service_token, config.thresholds, clock))
    api.register_blueprint(outcomes_blueprint(config.service_token, clock))
    standard_app.finish(app, PROBLEMS, budget_s=REQUEST_BUDGET_S)
    return app
