"""Events of payments: a batch is stored whole or not at all, and each event once."""

import copy
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from click.testing import CliRunner
from flask import Flask
from flask.testing import FlaskClient
from notification_service.cli import main
from notification_service.config import Config
from notification_service.extensions import db
from notification_service.models import ReceivedEvent
from notification_service.schemas.event import MAX_EVENT_BYTES
from service_kit.web import strict_json
from sqlalchemy import select
from werkzeug.test import TestResponse

PATH = "/internal/events"


def sent(number: int = 1, **changes: Any) -> dict[str, Any]:
    event = {
        "id": f"evt_1_{number}",
        "type": "payment.processing",
        "version": 1,
        "payment": "pay_1",
        "sequence": number,
        "at": "2026-11-21T09:05:00.000123+00:00",
        "actor": "payer",
        "data": {"attempt": "att_1", "amount_minor": 1999},
    }
    return {"merchant_id": "mer_1", "event": {**event, **changes}}


@pytest.fixture
def stored(app: Flask) -> Callable[[], Sequence[ReceivedEvent]]:
    def read() -> Sequence[ReceivedEvent]:
        with app.app_context(), db.reading() as session:
            rows = session.scalars(select(ReceivedEvent).order_by(ReceivedEvent.id)).all()
            session.expunge_all()
        return rows

    return read


def test_a_batch_is_stored_with_the_text_of_each_event(
    client: FlaskClient, stored: Callable[[], Sequence[ReceivedEvent]]
) -> None:
    answer = client.post(PATH, json={"events": [sent(1), sent(2)]})

    assert (answer.status_code, answer.get_json()) == (202, {"accepted": 2})
    first, second = stored()
    assert (first.event_id, first.merchant_id, first.payment_id) == ("evt_1_1", "mer_1", "pay_1")
    assert first.type == "payment.processing"
    assert first.occurred_at.isoformat() == "2026-11-21T09:05:00.000123+00:00"
    assert second.body == (
        '{"id":"evt_1_2","type":"payment.processing","version":1,"payment":"pay_1","sequence":2,'
        '"at":"2026-11-21T09:05:00.000123+00:00","actor":"payer",'
        '"data":{"attempt":"att_1","amount_minor":1999}}'
    )


def test_an_event_that_comes_again_is_stored_once(
    client: FlaskClient, stored: Callable[[], Sequence[ReceivedEvent]]
) -> None:
    client.post(PATH, json={"events": [sent(1), sent(2)]})

    again = client.post(PATH, json={"events": [sent(2, actor="janitor"), sent(3), sent(3)]})

    assert (again.status_code, again.get_json()) == (202, {"accepted": 1})
    assert [row.event_id for row in stored()] == ["evt_1_1", "evt_1_2", "evt_1_3"]
    assert '"actor":"payer"' in stored()[1].body


def test_a_hundred_large_events_are_one_batch_and_more_are_refused(
    client: FlaskClient, stored: Callable[[], Sequence[ReceivedEvent]]
) -> None:
    large = {"fraud_reasons": "x" * 8000}
    batch = [sent(number, data=large) for number in range(1, 101)]

    assert client.post(PATH, json={"events": batch}).status_code == 202
    assert client.post(PATH, json={"events": [*batch, sent(101)]}).status_code == 400
    too_large = {"events": [sent(102, data={"text": "x" * (1024 * 1024)})]}
    assert client.post(PATH, json=too_large).status_code == 413
    assert len(stored()) == 100


def test_an_event_that_its_column_cannot_hold_refuses_the_batch(
    client: FlaskClient, stored: Callable[[], Sequence[ReceivedEvent]]
) -> None:
    """A body in UTF-8 is shorter than the text that is stored."""
    frame = len(strict_json.dumps(sent(1, data={"text": ""})["event"]))
    room, rest = divmod(MAX_EVENT_BYTES - frame, len(r"\u00e9"))
    largest, larger = ("é" * room + "x" * (rest + more) for more in (0, 1))

    def send(text: str) -> TestResponse:
        body = strict_json.dumps({"events": [sent(1, data={"text": text})]}, only_ascii=False)
        return client.post(PATH, data=body.encode(), content_type="application/json")

    assert send(larger).status_code == 400
    assert stored() == []
    assert send(largest).status_code == 202
    assert [len(row.body) for row in stored()] == [MAX_EVENT_BYTES]


@pytest.mark.parametrize(
    "changes",
    [
        {"id": "evt 1"},
        {"id": "evt_é"},
        {"id": ""},
        {"id": "e" * 65},
        {"type": "payment"},
        {"type": "payment.completed\n"},
        {"version": 0},
        {"version": "1"},
        {"version": True},
        {"payment": None},
        {"sequence": 0},
        {"at": "2026-11-21T09:05:00"},
        {"at": "yesterday"},
        {"actor": ""},
        {"data": []},
        {"data": None},
        {"more": 1},
    ],
)
def test_one_event_that_is_none_refuses_the_batch(
    client: FlaskClient, stored: Callable[[], Sequence[ReceivedEvent]], changes: dict[str, Any]
) -> None:
    answer = client.post(PATH, json={"events": [sent(1), sent(2, **changes)]})

    assert answer.status_code == 400
    assert answer.content_type == "application/problem+json"
    assert stored() == []


@pytest.mark.parametrize("body", [{}, {"events": []}, {"events": {}}, {"events": [1]}, [], {"events": [{}]}])
def test_what_is_no_batch_is_refused(client: FlaskClient, body: Any) -> None:
    assert client.post(PATH, json=body).status_code == 400


def test_a_batch_without_an_event_member_is_refused(client: FlaskClient) -> None:
    for name in sent()["event"]:
        broken = copy.deepcopy(sent())
        del broken["event"][name]

        assert client.post(PATH, json={"events": [broken]}).status_code == 400, name


def test_without_the_token_nobody_gets_in(app: Flask) -> None:
    answer = app.test_client().post(PATH, json={"events": [sent()]})

    assert answer.status_code == 401


def test_an_operator_sees_the_newest_events(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch, config: Config
) -> None:
    client.post(PATH, json={"events": [sent(1), sent(2), sent(3)]})
    monkeypatch.setenv("DATABASE_URL", config.database_url)
    monkeypatch.setenv("LOG_LEVEL", "ERROR")

    result = CliRunner().invoke(main, ["events", "list", "--limit", "2"])

    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["evt_1_3", "evt_1_2"]
    assert lines[0].split()[1:] == ["payment.processing", "mer_1", "pay_1", "2026-11-21T09:05:00+00:00"]
