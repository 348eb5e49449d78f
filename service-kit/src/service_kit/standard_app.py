"""What every service's ``create_app`` begins and ends with."""

from collections.abc import Mapping

from flask import Flask, Response

from service_kit import api, logs, problems, request_context
from service_kit.database import Database, engine_options, prepare_engine
from service_kit.health import add_health_routes
from service_kit.problems import ProblemTable
from service_kit.time_budget import set_time_budgets

MAX_BODY_BYTES = 64 * 1024


def begin(
    app: Flask,
    db: Database,
    database_url: str,
    *,
    title: str,
    description: str,
    body_limits: Mapping[str, int] | None = None,
) -> api.Api:
    """Connect the database and set up identity, logs and the API; return the API for the blueprints.

    ``body_limits`` are the endpoints that take larger bodies than all others, and how many bytes.
    """
    # `//` is another address, and no redirect: gateways follow those by themselves.
    app.url_map.merge_slashes = False
    app.config["SQLALCHEMY_DATABASE_URI"] = database_url
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = engine_options(database_url)
    request_context.init_app(app)
    logs.init_app(app)
    smorest = api.init_app(
        app,
        title=title,
        version="1",
        description=description,
        max_body_bytes=MAX_BODY_BYTES,
        body_limits=body_limits,
    )
    db.init_app(app)
    with app.app_context():
        prepare_engine(db.engine)
    add_health_routes(app, db)
    app.after_request(_keep_nothing)
    return smorest


def finish(
    app: Flask,
    table: ProblemTable,
    *,
    budget_s: float,
    budgets_s: Mapping[str, float] | None = None,
) -> None:
    """Set the time budgets and answer errors by ``table``; last, as it replaces flask-smorest's handlers."""
    set_time_budgets(app, default_s=budget_s, by_endpoint=budgets_s)
    problems.init_app(app, table)


def _keep_nothing(response: Response) -> Response:
    """Let no proxy keep an answer, unless the view said for how long it is good."""
    response.headers.setdefault("Cache-Control", "no-store")
    return response
