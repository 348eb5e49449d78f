"""Delivers messages to other services and to the shop; each of them recognises what comes twice."""

from collections.abc import Callable, Collection, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from service_kit.jobs.queue import Done, Failed, Result, RetrySchedule
from service_kit.web.http_client import Answer, CallFailed, HttpClient

# With these answers the other side says that it will never take what was sent.
ORDER_UPDATE_REFUSED = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.GONE, HTTPStatus.UNPROCESSABLE_ENTITY})
# A service of ours that is not there, or does not know us, is waited for.
BATCH_REFUSED = frozenset(
    {HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNPROCESSABLE_ENTITY}
)
REFUSED_TRIES = 5
_DAY_S = 86_400.0
# A shop that returns hears within a minute, for a day; then every ten minutes.
RETRIES = RetrySchedule(first_delays_s=(0.2, 1, 2, 5, 15), steps=((_DAY_S, 30.0), (float("inf"), 600.0)))
_UPDATED_NOTHING_PAUSE_S = 300.0


def _result(call: Callable[[], Answer], refused: Collection[int], read: Callable[[Answer], Result]) -> Result:
    """Return what became of a call; ``read`` understands an answer that is no refusal."""
    try:
        answer = call()
        if answer.status in refused:
            return Failed(f"HTTP {answer.status}", max_attempts=REFUSED_TRIES, is_refused=True)
        return read(answer)
    except CallFailed as exc:
        return Failed(str(exc))


def _stored(answer: Answer) -> Result:
    if HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
        return Done()
    return Failed(f"HTTP {answer.status}")


class BatchClient:
    """Posts ``{member: [item, …]}`` to one path; the service recognises repeated items by their event ids."""

    def __init__(self, http: HttpClient, path: str, member: str) -> None:
        self._http = http
        self._path = path
        self._member = member

    def send(self, items: Sequence[Any]) -> Result:
        """POST the items; any 2xx means that the other service has stored all of them."""
        return _result(lambda: self._http.post(self._path, {self._member: items}), BATCH_REFUSED, _stored)


class StoreManagerClient:
    """Sends order updates; the shop takes the same one any number of times."""

    def __init__(self, http: HttpClient) -> None:
        self._http = http

    def update_order(self, order_update: Mapping[str, Any]) -> Result:
        """PUT the update; only 200 with ``{"updated": true}`` means that the shop has it.

        ``false`` is also what it answers while its database is down or the order is not committed yet, so
        it is tried again like all else, but minutes apart: the order may have been deleted.
        """
        return _result(lambda: self._http.send("PUT", "", order_update), ORDER_UPDATE_REFUSED, _updated)


def _updated(answer: Answer) -> Result:
    if answer.status != HTTPStatus.OK:
        return Failed(f"HTTP {answer.status}")
    body = answer.json()
    if isinstance(body, dict) and body.get("updated") is True:
        return Done()
    return Failed("the shop answered that it updated nothing", pause_s=_UPDATED_NOTHING_PAUSE_S)
