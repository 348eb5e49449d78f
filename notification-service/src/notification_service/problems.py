"""How domain errors are told to a client."""

from http import HTTPStatus

from service_kit.email_addresses import AddressNotUsable
from service_kit.web.problems import Problem, ProblemTable, invalid_input

from notification_service.errors import NotificationUnknown

PROBLEMS: ProblemTable = {
    AddressNotUsable: lambda error: invalid_input({"recipient": {"user_id": [str(error)]}}),
    NotificationUnknown: lambda _: Problem(
        HTTPStatus.NOT_FOUND, "notification_unknown", "Nobody was told of an event with this id."
    ),
}
