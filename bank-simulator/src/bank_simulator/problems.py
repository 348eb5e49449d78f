"""How domain errors are told to a client."""

from http import HTTPStatus

from service_kit.web.problems import Problem, ProblemTable

from bank_simulator.errors import (
    AnswerLost,
    CannotBeDisputed,
    DisputeClosed,
    DisputeUnknown,
    InjectedError,
    RequestIdReused,
    RequestNotPending,
    RequestUnknown,
)

PROBLEMS: ProblemTable = {
    RequestIdReused: lambda _: Problem(
        HTTPStatus.CONFLICT, "request_id_reused", "This request_id was used before with other parameters."
    ),
    RequestUnknown: lambda _: Problem(
        HTTPStatus.NOT_FOUND, "request_unknown", "No request with this id has arrived."
    ),
    RequestNotPending: lambda _: Problem(
        HTTPStatus.CONFLICT, "request_not_pending", "The bank has nothing to decide about this request."
    ),
    DisputeUnknown: lambda _: Problem(HTTPStatus.NOT_FOUND, "dispute_unknown", "There is no such dispute."),
    CannotBeDisputed: lambda _: Problem(
        HTTPStatus.CONFLICT,
        "cannot_be_disputed",
        "Less than that of the payment was captured and is in no dispute yet; without an amount, the "
        "merchant must still have some of it.",
    ),
    DisputeClosed: lambda _: Problem(
        HTTPStatus.CONFLICT, "dispute_closed", "The dispute ended the other way."
    ),
    InjectedError: lambda _: Problem(
        HTTPStatus.SERVICE_UNAVAILABLE, "fault_injected", "The fault plan wanted an error here."
    ),
    AnswerLost: lambda _: Problem(
        HTTPStatus.BAD_GATEWAY, "answer_lost", "The answer was thrown away together with its connection."
    ),
}
