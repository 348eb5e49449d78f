"""The line between payment-service and the bank, both in this process, with everything that befalls lines."""

from collections import Counter
from collections.abc import Callable, Mapping
from contextvars import Context
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from flask import Flask
from payment_service.extensions import db
from service_kit.db.database import leave_transaction
from service_kit.deadlines import Deadline
from service_kit.web import strict_json
from service_kit.web.http_client import Answer, Dependency, HttpClient, NotSent, OutcomeUnknown
from werkzeug.test import TestResponse

BANK_TOKEN = "lab-bank-token"


class Trouble(StrEnum):
    """What befalls one call."""

    REFUSED = "the connection is refused"
    LOST_REQUEST = "nothing arrives, and nobody can know that"
    LOST_ANSWER = "it arrives, its answer does not"
    GARBAGE = "it arrives, its answer cannot be read"
    ERROR_BEFORE = "503, and nothing was done"
    ERROR_AFTER = "503, though it was done"
    DEATH_BEFORE = "the caller dies before it calls"
    DEATH_AFTER = "the caller dies before it hears the answer"


class Moment(StrEnum):
    """When others can be at work while somebody waits."""

    JUDGING = "fraud-service thinks"
    GOING = "a call is on its way to the bank"
    COMING = "an answer of the bank is on its way"


@dataclass(frozen=True)
class Meanwhile:
    """What others do at the next such moment."""

    moment: Moment
    work: Callable[[], None]


class Died(BaseException):
    """The process of payment-service is no more; what it had committed is all that is left of it."""


UNAVAILABLE = Answer(503, {}, b'{"status": 503}')
UNREADABLE = Answer(200, {}, b"<html>")


class Line(HttpClient):
    """A line to somebody in this process; ``troubles`` befall the next calls, one each; None spares one."""

    def __init__(self, name: str, seen: Counter[str], token: str | None = None) -> None:
        # The breaker looks at a clock of its own: it would not be the same in every run.
        dependency = Dependency(name, f"http://{name}", 10.0, token=token, breaker_failures=10**9)
        super().__init__(dependency, before_call=lambda: leave_transaction(db.session()))
        self.troubles: list[Trouble | None] = []
        self._seen = seen

    def carry(self, method: str, path: str, body: Any) -> Answer:
        """Bring a request to whoever answers at the other end."""
        raise NotImplementedError

    def _send_once(
        self, method: str, path: str, body: Any, headers: Mapping[str, str], deadline: Deadline
    ) -> Answer:
        trouble = self.troubles.pop(0) if self.troubles else None
        if trouble is not None:
            self._seen[f"fault of {self.dependency.name} → {trouble}"] += 1
        if trouble is Trouble.DEATH_BEFORE:
            raise Died
        if trouble is Trouble.REFUSED:
            raise NotSent("connection refused")
        if trouble is Trouble.LOST_REQUEST:
            raise OutcomeUnknown("the request was lost")
        if trouble is Trouble.ERROR_BEFORE:
            return UNAVAILABLE
        answer = self.carry(method, path, body)
        if trouble is Trouble.DEATH_AFTER:
            raise Died
        if trouble is Trouble.LOST_ANSWER:
            raise OutcomeUnknown("the answer was lost")
        if trouble is Trouble.ERROR_AFTER:
            return UNAVAILABLE
        return UNREADABLE if trouble is Trouble.GARBAGE else answer


class Wire(Line):
    """The line to the bank's application; ``money_calls`` counts the wishes to move money, sent or not.

    ``is_moving_money``: the latest call was such a wish.
    """

    def __init__(self, bank: Flask, seen: Counter[str]) -> None:
        super().__init__("bank", seen, token=BANK_TOKEN)
        self._bank = bank
        self.meanwhile: Meanwhile | None = None
        self.money_calls = 0
        self.is_moving_money = False
        self.found_meanwhile: list[AssertionError] = []

    def calm(self) -> None:
        """Let nothing befall it any more."""
        self.troubles.clear()
        self.found_meanwhile.clear()
        self.meanwhile = None

    def reach(self, moment: Moment) -> None:
        """Let others work, as other processes do, if this is the moment that they wait for."""
        if self.meanwhile is None or self.meanwhile.moment is not moment:
            return
        work, self.meanwhile = self.meanwhile.work, None
        self._seen[f"others work while → {moment}"] += 1
        calls = self.money_calls
        try:
            Context().run(work)
        except AssertionError as exc:
            # The service would take it for a trouble of its own: it is told after the step.
            self.found_meanwhile.append(exc)
        self.money_calls = calls

    def carry(self, method: str, path: str, body: Any) -> Answer:
        self.reach(Moment.GOING)
        response = call(self._bank, method, path, body)
        answer = Answer(response.status_code, dict(response.headers), response.get_data())
        self.reach(Moment.COMING)
        if _is_dropped(answer):
            raise OutcomeUnknown("the answer was lost")
        return answer

    def _send_once(
        self, method: str, path: str, body: Any, headers: Mapping[str, str], deadline: Deadline
    ) -> Answer:
        self.is_moving_money = method == "POST" and not path.endswith("/abandon")
        self.money_calls += self.is_moving_money
        return super()._send_once(method, path, body, headers, deadline)


def call(bank: Flask, method: str, path: str, body: Any = None) -> TestResponse:
    """Send a request to the bank as another process would, whatever the caller is in the middle of."""
    data = None if body is None else strict_json.dumps(body).encode()
    headers = {"Authorization": f"Bearer {BANK_TOKEN}", "Content-Type": "application/json"}
    return Context().run(lambda: bank.test_client().open(path, method=method, data=data, headers=headers))


def _is_dropped(answer: Answer) -> bool:
    """Whether the bank wanted the connection dropped; there is none here, so it says so in words."""
    return answer.status == 502 and b"answer_lost" in answer.body
