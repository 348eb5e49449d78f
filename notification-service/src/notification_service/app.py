"""The composition root of the notification-service."""

from flask import Flask
from service_kit.jobs.wake import Waker
from service_kit.process import logs
from service_kit.web import standard_app

from notification_service.config import Config
from notification_service.controllers.events import BODY_LIMITS, events
from notification_service.controllers.notifications import notifications
from notification_service.controllers.request import EXTENSION, SERVICE_TOKEN, Dependencies
from notification_service.extensions import db
from notification_service.problems import PROBLEMS

BLUEPRINTS = (notifications, events)
REQUEST_BUDGET_S = 4.0
DESCRIPTION = (
    "Tells payers what happened to their payment, by e-mail, in French or English. "
    "A notification that was accepted (202) is delivered later, and tried again for a week. "
    "Events of payments are kept for their merchants."
)


def create_app(config: Config | None = None, *, waker: Waker | None = None) -> Flask:
    """Put the service together; a caller may hand in the ``waker`` that it uses itself."""
    config = config or Config.from_env()
    logs.configure("notification-service", secret_keys=("smtp_url",), level=config.log_level)
    app = Flask("notification_service", template_folder=None, static_folder=None)
    api = standard_app.begin(
        app,
        db,
        config.database_url,
        title="Caisse notification-service",
        description=DESCRIPTION,
        body_limits=BODY_LIMITS,
    )
    api.spec.components.security_scheme(SERVICE_TOKEN, {"type": "http", "scheme": "bearer"})
    app.extensions[EXTENSION] = Dependencies(config, waker or Waker(config.worker_wake_address))
    for blueprint in BLUEPRINTS:
        api.register_blueprint(blueprint)
    standard_app.require_token(app, BLUEPRINTS, config.service_token)
    standard_app.finish(app, PROBLEMS, budget_s=REQUEST_BUDGET_S)
    return app
