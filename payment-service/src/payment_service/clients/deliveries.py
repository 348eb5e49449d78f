"""The client of services that take many things at once, each of them once."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from http import HTTPStatus
from typing import Any

from service_kit.jobs.queue import Done, Failed, Result
from service_kit.web.http_client import CallFailed, HttpClient, OutcomeUnknown

# It will never take this batch: something in it is not as it should be, or it is too long.
REFUSED = {
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.NOT_FOUND,
    HTTPStatus.GONE,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNPROCESSABLE_ENTITY,
}
REFUSED_TRIES = 5


class BatchClient:
    """Posts ``{member: [item, …]}`` to one path; the service recognises repeated items by their event ids."""

    def __init__(self, http: HttpClient, path: str, member: str) -> None:
        self._http = http
        self._path = path
        self._member = member

    def send(self, items: Sequence[Any]) -> Result:
        """POST the items; any 2xx means that the other service has stored all of them."""
        try:
            answer = self._http.post(self._path, {self._member: items})
        except CallFailed as exc:
            return Failed(str(exc))
        if HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
            return Done()
        if answer.status in REFUSED:
            return Failed(f"HTTP {answer.status}", max_attempts=REFUSED_TRIES, is_refused=True)
        return Failed(f"HTTP {answer.status}")


NOTIFICATION_REFUSED = {
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.NOT_FOUND,
    HTTPStatus.GONE,
    HTTPStatus.UNPROCESSABLE_ENTITY,
}
NOTIFICATION_TRIES = 5


class NotificationClient:
    """Sends notifications; the service recognises a repeated event by its id."""

    def __init__(self, http: HttpClient) -> None:
        self._http = http

    def notify(self, notification: Mapping[str, Any]) -> Result:
        """POST one notification; any 2xx means that it is in the other service's queue."""
        try:
            answer = self._http.post("/internal/notifications", notification)
        except CallFailed as exc:
            return Failed(str(exc))
        if HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
            return Done()
        max_attempts = NOTIFICATION_TRIES if answer.status in NOTIFICATION_REFUSED else None
        return Failed(f"HTTP {answer.status}", max_attempts=max_attempts)


# Five tries: the shop says that it will never take this message.
ORDER_UPDATE_REFUSED = {HTTPStatus.NOT_FOUND, HTTPStatus.GONE, HTTPStatus.UNPROCESSABLE_ENTITY}
ORDER_UPDATE_TRIES = 5


class StoreManagerClient:
    """Sends order updates; the shop takes the same one any number of times."""

    def __init__(self, http: HttpClient) -> None:
        self._http = http

    def update_order(self, order_update: Mapping[str, Any]) -> Result:
        """PUT the update; only 200 with ``{"updated": true}`` means that the shop has it.

        ``false`` is also what it answers while its database is down or the order is not committed yet, so
        it is tried again for a day.
        """
        try:
            answer = self._http.send("PUT", "", order_update)
        except CallFailed as exc:
            return Failed(str(exc))
        if answer.status in ORDER_UPDATE_REFUSED:
            return Failed(f"HTTP {answer.status}", max_attempts=ORDER_UPDATE_TRIES)
        if answer.status != HTTPStatus.OK:
            return Failed(f"HTTP {answer.status}")
        try:
            body = answer.json()
        except OutcomeUnknown as exc:
            return Failed(str(exc))
        if isinstance(body, dict) and body.get("updated") is True:
            return Done()
        return Failed("the shop answered that it updated nothing", give_up_after=timedelta(days=1))
