"""The client of the shop: tells it that an order is paid."""

from collections.abc import Mapping
from datetime import timedelta
from http import HTTPStatus
from typing import Any

from service_kit.http_client import CallFailed, HttpClient, OutcomeUnknown
from service_kit.leased_queue import Done, Failed, Result

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
