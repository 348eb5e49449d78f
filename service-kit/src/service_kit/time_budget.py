"""Gives every request its time budget, by endpoint."""

from collections.abc import Mapping
from contextlib import ExitStack

from flask import Flask, g, request

from service_kit.deadlines import time_budget


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
