"""What every service's ``create_app`` begins and ends with."""

import hmac
from collections.abc import Iterable, Mapping
from contextlib import ExitStack

from flask import Blueprint, Flask, Response, g, request
from sqlalchemy import text
from werkzeug.exceptions import Unauthorized

from service_kit.db.database import Database
from service_kit.db.engine import engine_options, prepare_engine, require_database
from service_kit.deadlines import time_budget
from service_kit.process import logs
from service_kit.web import api, problems, request_context
from service_kit.web.problems import ProblemTable

MAX_BODY_BYTES = 64 * 1024
# Whoever asks waits a second for the answer; a connection that must be made anew is part of it.
READY_WITHIN_S = 0.6


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

    The database is there: a SQLite file that is not is an error, and only a migration makes it.
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
        require_database(db.engine)
    add_health_routes(app, db)
    app.after_request(_keep_nothing)
    app.after_request(_guess_no_types)
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


def _guess_no_types(response: Response) -> Response:
    """Let no browser take an answer for something else than its type says.

    The gateway, which adds X-Forwarded-Host, says so itself, and would say it twice.
    """
    if "X-Forwarded-Host" not in request.headers:
        response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def add_health_routes(app: Flask, db: Database) -> None:
    @app.get("/health/live")
    def live() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/health/ready")
    def ready() -> dict[str, str]:
        with time_budget(READY_WITHIN_S), db.reading() as session:
            session.execute(text("SELECT 1"))
        return {"status": "ok"}


def require_token(
    app: Flask, blueprints: Iterable[Blueprint], token: str, *, name: str = "the service token"
) -> None:
    """Refuse every request to ``blueprints`` that does not carry ``Authorization: Bearer <token>``.

    The check belongs to ``app``: another application may hold the same blueprints to another token.
    """
    if not token:
        raise ValueError(f"{name} is empty, which would let everybody in.")
    expected = f"Bearer {token}".encode()

    def check() -> None:
        given = request.headers.get("Authorization", "").encode()
        if not hmac.compare_digest(given, expected):
            raise Unauthorized(f"This needs {name}.")

    for blueprint in blueprints:
        app.before_request_funcs.setdefault(blueprint.name, []).append(check)


def set_time_budgets(app: Flask, *, default_s: float, by_endpoint: Mapping[str, float] | None = None) -> None:
    """Set the deadline of each request: ``by_endpoint`` (Flask's endpoint names) or ``default_s`` seconds."""
    budgets = dict(by_endpoint or {})

    @app.before_request
    def begin_budget() -> None:
        stack = ExitStack()
        stack.enter_context(time_budget(budgets.get(request.endpoint or "", default_s)))
        g.time_budget = stack

    @app.teardown_request
    def end_budget(_error: BaseException | None) -> None:
        stack = g.pop("time_budget", None)
        if stack is not None:
            stack.close()
