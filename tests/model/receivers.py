"""Everybody who is told by the worker: what arrived there, and what befell the deliveries."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from payment_service.values.statuses import Destination
from service_kit.web.http_client import Answer

from tests.model.wire import Line, Trouble

TAKEN = Answer(202, {}, b"{}")
# What payers are told, with the events.
RECEIPTS = "receipts"
UPDATED = Answer(200, {}, b'{"updated": true}')


class Receivers:
    """The other ends; ``received`` counts how often each of them got what, by its queue and the event.

    Events go to notification-service, some with what payers are told, outcomes to fraud-service, and the
    shop gets updates of its orders, each known by its payment.
    """

    def __init__(self, seen: Counter[str]) -> None:
        self.received: Counter[tuple[str, str]] = Counter()
        self.letters = _Letters("notification-service", seen, self.received)
        self.outcomes = _Outcomes("fraud-service", seen, self.received)
        self.shop = _Shop("shop", seen, self.received)

    def befall(self, troubles: Sequence[Trouble | None]) -> None:
        """Let these befall the next calls of each."""
        for line in (self.letters, self.outcomes, self.shop):
            line.troubles[:] = troubles

    def calm(self) -> None:
        """Let nothing befall them any more."""
        self.befall([])

    def at(self, destination: str) -> set[str]:
        """Return what arrived there."""
        return {name for queue, name in self.received if queue == destination}


class _Receiver(Line):
    def __init__(self, name: str, seen: Counter[str], received: Counter[tuple[str, str]]) -> None:
        super().__init__(name, seen)
        self._received = received

    def _receive(self, destination: str, name: str) -> None:
        self._received[destination, name] += 1
        again = "again" if self._received[destination, name] > 1 else "at first"
        self._seen[f"{destination} is told → {again}"] += 1


class _Letters(_Receiver):
    def carry(self, _method: str, _path: str, body: Any) -> Answer:
        for item in body["events"]:
            self._receive(Destination.EVENTS, item["event"]["id"])
            if "payment" in item:
                self._receive(RECEIPTS, item["event"]["id"])
        return TAKEN


class _Outcomes(_Receiver):
    def carry(self, _method: str, _path: str, body: Any) -> Answer:
        for item in body["outcomes"]:
            self._receive(Destination.FRAUD_OUTCOMES, item["event_id"])
        return TAKEN


class _Shop(_Receiver):
    def carry(self, _method: str, _path: str, body: Any) -> Answer:
        if body["is_paid"] is True:
            self._receive(Destination.STORE_MANAGER, str(body["payment_id"]))
        return UPDATED
