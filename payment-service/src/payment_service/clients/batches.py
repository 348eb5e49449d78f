"""The client of services that take many things at once, each of them once."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from service_kit.http_client import CallFailed, HttpClient
from service_kit.leased_queue import Done, Failed, Result

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
