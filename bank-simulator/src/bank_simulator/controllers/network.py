"""The card network's interface for the merchant's side."""

from service_kit.web.api import Blueprint
from werkzeug.routing import BaseConverter

from bank_simulator.commands.abandon import abandon
from bank_simulator.commands.follow_up import Capture, Refund, Void, follow_up
from bank_simulator.commands.pay import Pay, pay
from bank_simulator.controllers.delivery import as_it_stands, deliver, faulty
from bank_simulator.controllers.request import current_dependencies
from bank_simulator.models import NetworkRequest
from bank_simulator.queries.find_request import find_request
from bank_simulator.schemas.network import (
    ID_PATTERN,
    AnswerSchema,
    AuthorizationSchema,
    CaptureSchema,
    RefundSchema,
    SaleSchema,
    VoidSchema,
)


class RequestIdConverter(BaseConverter):
    """An address with anything but a request id in its place is not found."""

    regex = ID_PATTERN


network = Blueprint("network", __name__, url_prefix="/network", description="The card network")

_REUSED = "This request_id was used before with other parameters"
_INVALID = "The body is not such a request"


@network.post("/sales")
@network.arguments(SaleSchema)
@network.response(200, AnswerSchema)
@network.problem(400, _INVALID)
@network.problem(409, _REUSED)
@faulty
def sell(body: Pay) -> NetworkRequest:
    """Authorise and capture in one step; with 3-D Secure the cardholder may first have to act."""
    return deliver(pay(body, current_dependencies().settings))


@network.post("/authorizations")
@network.arguments(AuthorizationSchema)
@network.response(200, AnswerSchema)
@network.problem(400, _INVALID)
@network.problem(409, _REUSED)
@faulty
def authorize(body: Pay) -> NetworkRequest:
    """Hold the money until it is captured or released; 3-D Secure as for a sale."""
    return deliver(pay(body, current_dependencies().settings))


@network.post("/captures")
@network.arguments(CaptureSchema)
@network.response(200, AnswerSchema)
@network.problem(400, _INVALID)
@network.problem(409, _REUSED)
@faulty
def capture_held(body: Capture) -> NetworkRequest:
    """Take authorised money, in one part or several; a final capture releases the rest."""
    return deliver(follow_up(body, current_dependencies().settings))


@network.post("/voids")
@network.arguments(VoidSchema)
@network.response(200, AnswerSchema)
@network.problem(400, _INVALID)
@network.problem(409, _REUSED)
@faulty
def void_payment(body: Void) -> NetworkRequest:
    """Release what is still held, or give a sale of the last 24 hours back whole."""
    return deliver(follow_up(body, current_dependencies().settings))


@network.post("/refunds")
@network.arguments(RefundSchema)
@network.response(200, AnswerSchema)
@network.problem(400, _INVALID)
@network.problem(409, _REUSED)
@faulty
def refund_captured(body: Refund) -> NetworkRequest:
    """Give back captured money, all together at most what was captured."""
    return deliver(follow_up(body, current_dependencies().settings))


@network.get("/requests/<request_id:request_id>")
@network.response(200, AnswerSchema)
@network.problem(404, "No request with this id has arrived")
@faulty
def show_request(request_id: str) -> NetworkRequest:
    """Tell what became of a request."""
    return as_it_stands(find_request(request_id))


@network.post("/requests/<request_id:request_id>/abandon")
@network.response(200, AnswerSchema)
@faulty
def abandon_request(request_id: str) -> NetworkRequest:
    """Make sure that a request never executes, one that is open included; else tell what became of it."""
    return abandon(request_id, current_dependencies().settings)
