"""POST /internal/assessments: judged once, answered always alike."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from fraud_service.extensions import db
from fraud_service.rules import RULES_VERSION
from sqlalchemy import event
from werkzeug.test import TestResponse

Body = Callable[..., dict[str, Any]]


def test_an_ordinary_attempt_is_approved(ask: Callable[..., TestResponse]) -> None:
    response = ask(attempt_id="att_ordinary")

    assert response.status_code == 201
    assert response.content_type == "application/json"
    answer = response.json
    assert answer is not None
    assert answer.pop("assessment_id").startswith("asm_")
    assert answer == {
        "attempt_id": "att_ordinary",
        "decision": "approve",
        "score": 0,
        "reasons": [],
        "rules_version": RULES_VERSION,
        "assessed_at": "2026-11-21T09:00:00.123456Z",
    }


def test_the_same_attempt_again_gets_the_stored_answer_byte_for_byte(
    client: FlaskClient, make_body: Body, clock: Any, count_assessments: Callable[[], int]
) -> None:
    body = make_body()
    first = client.post("/internal/assessments", json=body)
    clock.move(days=3)

    second = client.post("/internal/assessments", json=dict(reversed(body.items())))

    assert (first.status_code, second.status_code) == (201, 200)
    assert second.data == first.data
    assert second.content_type == first.content_type
    assert count_assessments() == 1


@pytest.mark.parametrize(
    "change",
    [
        {"payment_id": "pay_2"},
        {"merchant_id": "mer_2"},
        {"amount_minor": 399999},
        {"currency": "EUR"},
        {"bin": "400001"},
        {"fingerprint": "60" * 32},
        {"user_id": "2"},
        {"order_id": "2"},
        {"client_ip": "203.0.113.7"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_the_same_attempt_with_another_input_is_refused(
    client: FlaskClient, make_body: Body, change: dict[str, Any]
) -> None:
    body = make_body()
    first = client.post("/internal/assessments", json=body)

    other = client.post("/internal/assessments", json=make_body(attempt_id=body["attempt_id"], **change))

    assert other.status_code == 409
    assert other.content_type == "application/problem+json"
    assert other.json is not None
    assert other.json["code"] == "attempt_assessed_differently"
    assert client.post("/internal/assessments", json=body).data == first.data


def test_ids_that_differ_in_case_are_different_attempts(ask: Callable[..., TestResponse]) -> None:
    assert ask(attempt_id="att_Case").status_code == 201
    assert ask(attempt_id="att_case").status_code == 201


def test_of_eight_equal_requests_at_once_one_is_judged_and_all_get_its_answer(
    app: Flask, client: FlaskClient, make_body: Body, count_assessments: Callable[[], int]
) -> None:
    body = make_body(client_ip="203.0.113.7")
    together = threading.Barrier(8)

    def post(_: int) -> TestResponse:
        own = app.test_client()
        own.environ_base.update(client.environ_base)
        together.wait()
        return own.post("/internal/assessments", json=body)

    with ThreadPoolExecutor(8) as pool:
        responses = list(pool.map(post, range(8)))

    assert sorted(response.status_code for response in responses) == [200] * 7 + [201]
    assert len({response.data for response in responses}) == 1
    assert count_assessments() == 1


def test_of_eight_different_requests_for_one_attempt_at_once_one_is_judged_and_the_others_refused(
    app: Flask, client: FlaskClient, make_body: Body, count_assessments: Callable[[], int]
) -> None:
    attempt_id = make_body()["attempt_id"]
    together = threading.Barrier(8)

    def post(number: int) -> int:
        own = app.test_client()
        own.environ_base.update(client.environ_base)
        together.wait()
        body = make_body(attempt_id=attempt_id, order_id=str(number))
        return own.post("/internal/assessments", json=body).status_code

    with ThreadPoolExecutor(8) as pool:
        statuses = sorted(pool.map(post, range(8)))

    assert statuses == [201] + [409] * 7
    assert count_assessments() == 1


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer wrong", "Basic a-token-of-the-tests", "Bearer a-token-of-the-tests ."]
)
@pytest.mark.parametrize("method", ["POST", "GET"])
def test_without_the_token_nothing_is_told_and_nothing_stored(
    app: Flask, make_body: Body, count_assessments: Callable[[], int], method: str, header: str
) -> None:
    path = "/internal/assessments" + ("/att_1" if method == "GET" else "")

    response = app.test_client().open(
        path, method=method, json=make_body(), headers={"Authorization": header}
    )

    assert response.status_code == 401
    assert response.content_type == "application/problem+json"
    assert count_assessments() == 0


def test_an_assessment_takes_two_statements(app: Flask, ask: Callable[..., TestResponse]) -> None:
    ask()
    statements: list[str] = []
    with app.app_context():
        engine = db.engine

    def note(_conn: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        statements.append(statement.split(maxsplit=1)[0])

    event.listen(engine, "before_cursor_execute", note)
    ask(client_ip="203.0.113.7")
    event.remove(engine, "before_cursor_execute", note)

    assert [word for word in statements if word != "BEGIN"] == ["SELECT", "INSERT"]


def test_a_class_of_thirty_behind_one_address_meets_no_limit(decide: Callable[..., str]) -> None:
    """Students share the lab's documented cards, seventeen of which may not pay, and each tries five."""
    decisions = {
        decide(
            fingerprint=f"{(5 * student + card) % 17:064x}",
            bin=f"4000{(5 * student + card) % 3}0",
            user_id=str(student % 10),
            client_ip="203.0.113.7",
        )
        for student in range(30)
        for card in range(5)
    }

    assert decisions == {"approve"}
