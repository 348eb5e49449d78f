"""How an answer travels: at once, late, as an error, or not at all."""

import functools
import socket
import time
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from flask import request
from service_kit.clock import utc_now
from service_kit.web.api import Blueprint, problem_response

from bank_simulator.commands.end_overdue import end_overdue
from bank_simulator.controllers.request import current_dependencies
from bank_simulator.domain.faults import count_arrival
from bank_simulator.domain.idempotency import Processed
from bank_simulator.errors import AnswerLost, InjectedError
from bank_simulator.models import NetworkRequest
from bank_simulator.values.fault_plan import Fault
from bank_simulator.values.vocabulary import CardBehaviour

P = ParamSpec("P")
T = TypeVar("T")


def deliver(processed: Processed) -> NetworkRequest:
    """Hand out an answer as its card wants it; the money has moved and been committed by now.

    Raises:
        AnswerLost: the connection is gone.
    """
    if processed.behaviour is CardBehaviour.SLOW_ANSWER:
        time.sleep(current_dependencies().config.slow_answer_s)
    if processed.behaviour is CardBehaviour.LOST_ANSWER:
        drop_connection()
    return as_it_stands(processed.request)


def as_it_stands(found: NetworkRequest) -> NetworkRequest:
    """Return a request that was found, ended by now if it waited too long."""
    if not found.is_overdue(utc_now()):
        return found
    return end_overdue(found.request_id, current_dependencies().settings)


def faulty(view: Callable[P, T]) -> Callable[P, T]:
    """Let the fault plan act on a view that takes a body with a request id, or the id from the address."""

    @functools.wraps(view)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> T:
        body: Any = args[0] if args else None
        fault = _fault_for(view.__name__, str(kwargs["request_id"]) if body is None else body.request_id)
        time.sleep(fault.latency_ms / 1000)
        if fault.error_before:
            raise InjectedError
        result = view(*args, **kwargs)
        if fault.error_after:
            raise InjectedError
        if fault.lost_answer:
            drop_connection()
        return result

    documented: Callable[P, T] = Blueprint.doc(
        responses={
            "502": problem_response("The answer was lost; over a network its connection ends instead"),
            "503": problem_response("The fault plan wants an error here"),
        }
    )(wrapper)
    return documented


def drop_connection() -> None:
    """Close the client's connection without a byte of an answer.

    Raises:
        AnswerLost: always. The answer made from it is written to a socket that is shut already, which both
            servers take for a client that went away; where there is no socket (Flask's test client), the
            problem document is what the caller sees.
    """
    connection = request.environ.get("gunicorn.socket") or request.environ.get("werkzeug.socket")
    if isinstance(connection, socket.socket):
        connection.shutdown(socket.SHUT_RDWR)
    raise AnswerLost


def _fault_for(operation: str, request_id: str) -> Fault:
    plan = current_dependencies().fault_plans.in_force()
    if plan.is_calm:
        return Fault()
    return plan.fault(count_arrival(operation, request_id))
