"""The line between payment-service and the bank, both in this process, with everything that befalls lines."""

from collections.abc import Mapping
from contextvars import Context
from enum import StrEnum
from typing import Any

from flask import Flask
from payment_service.extensions import db
from service_kit import strict_json
from service_kit.database import leave_transaction
from service_kit.deadlines import Deadline
from service_kit.http_client import Answer, Dependency, HttpClient, NotSent, OutcomeUnknown
from werkzeug.test import TestResponse

BANK_TOKEN = "lab-bank-token"


class Trouble(StrEnum):
    """What befalls one call of the bank."""

    REFUSED = "the connection is refused"
    LOST_REQUEST = "nothing arrives, and nobody can know that"
    LOST_ANSWER = "it arrives, its answer does not"
    GARBAGE = "it arrives, its answer cannot be read"
    ERROR_BEFORE = "503, and nothing was done"
    ERROR_AFTER = "503, though it was done"
    DEATH_BEFORE = "the caller dies before it calls"
    DEATH_AFTER = "the caller dies before it hears the answer"


class Died(BaseException):
    """The process of payment-service is no more; what it had committed is all that is left of it."""


_UNAVAILABLE = Answer(503, {}, b'{"status": 503}')


class Wire(HttpClient):
    """Carries calls to the bank's application; ``troubles`` befall the next calls, one each."""

    def __init__(self, bank: Flask) -> None:
        dependency = Dependency(
            # The breaker looks at a clock of its own: it would not be the same in every run.
            "bank-simulator",
            "http://bank",
            10.0,
            token=BANK_TOKEN,
            breaker_failures=10**9,
        )
        super().__init__(dependency, before_call=lambda: leave_transaction(db.session()))
        self._bank = bank
        self.troubles: list[Trouble] = []
        self.money_calls = 0

    def calm(self) -> None:
        """Let nothing befall it any more."""
        self.troubles.clear()

    def _send_once(
        self, method: str, path: str, body: Any, headers: Mapping[str, str], deadline: Deadline
    ) -> Answer:
        trouble = self.troubles.pop(0) if self.troubles else None
        if trouble is Trouble.DEATH_BEFORE:
            raise Died
        if trouble is Trouble.REFUSED:
            raise NotSent("bank: connection refused")
        if trouble is Trouble.LOST_REQUEST:
            raise OutcomeUnknown("bank: the request was lost")
        if trouble is Trouble.ERROR_BEFORE:
            return _UNAVAILABLE
        answer = self._carry(method, path, body)
        if trouble is Trouble.DEATH_AFTER:
            raise Died
        if trouble is Trouble.LOST_ANSWER or _is_dropped(answer):
            raise OutcomeUnknown("bank: the answer was lost")
        if trouble is Trouble.ERROR_AFTER:
            return _UNAVAILABLE
        if trouble is Trouble.GARBAGE:
            return Answer(200, {}, b"<html>")
        return answer

    def _carry(self, method: str, path: str, body: Any) -> Answer:
        self.money_calls += method == "POST" and not path.endswith("/abandon")
        response = call(self._bank, method, path, body)
        return Answer(response.status_code, dict(response.headers), response.get_data())


def call(bank: Flask, method: str, path: str, body: Any = None) -> TestResponse:
    """Send a request to the bank as another process would, whatever the caller is in the middle of."""
    data = None if body is None else strict_json.dumps(body).encode()
    headers = {"Authorization": f"Bearer {BANK_TOKEN}", "Content-Type": "application/json"}
    return Context().run(lambda: bank.test_client().open(path, method=method, data=data, headers=headers))


def _is_dropped(answer: Answer) -> bool:
    """Whether the bank wanted the connection dropped; there is none here, so it says so in words."""
    return answer.status == 502 and b"answer_lost" in answer.body
