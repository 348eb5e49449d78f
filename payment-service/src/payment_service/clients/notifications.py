"""The client of notification-service: hands over what a customer should be told."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from service_kit.http_client import CallFailed, HttpClient
from service_kit.leased_queue import Done, Failed, Result

NOTIFICATION_REFUSED = {HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND, HTTPStatus.GONE, HTTPStatus.UNPROCESSABLE_ENTITY}
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
