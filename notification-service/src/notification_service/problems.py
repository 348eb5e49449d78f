"""How domain errors are told to a client."""

from http import HTTPStatus

from service_kit.email_addresses import AddressNotUsable
from service_kit.web.problems import Problem, ProblemTable, invalid_input

from notification_service.errors import EventReused, NoRecipient, NotificationUnknown

PROBLEMS: ProblemTable = {
    AddressNotUsable: lambda error: invalid_input({"recipient": {"email": [str(error)]}}),
    NoRecipient: lambda _: Problem(
        HTTPStatus.BAD_REQUEST,
        "no_recipient",
        "There is neither an e-mail address nor a user for whom this installation can make one up.",
    ),
    EventReused: lambda _: Problem(
        HTTPStatus.CONFLICT, "event_reused", "This event_id was used before, with other content."
    ),
    NotificationUnknown: lambda _: Problem(
        HTTPStatus.NOT_FOUND, "notification_unknown", "No notification with this event_id has been accepted."
    ),
}
