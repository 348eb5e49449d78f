"""POST and GET /internal/notifications."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from notification_service.extensions import db
from notification_service.models import Notification
from sqlalchemy import event, func, select

PATH = "/internal/notifications"
Change = Callable[[str, Any], dict[str, Any]]
JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**40), 10**40),
    st.text(max_size=300),
    st.just([]),
    st.just({}),
    st.lists(st.text(), max_size=2),
    st.dictionaries(st.text(), st.integers(), max_size=2),
    st.sampled_from(["a\r\nBcc: x@example.org", "\u202e", "\0", "9" * 40, "x" * 5000, "0001-01-01T00:00Z"]),
)
MEMBERS = [
    "event_id",
    "type",
    "locale",
    "recipient",
    "recipient.email",
    "recipient.user_id",
    "data",
    "data.payment_id",
    "data.order_id",
    "data.amount_minor",
    "data.currency",
    "data.occurred_at",
    "data.merchant",
    "data.merchant.name",
    "data.card",
    "data.card.last4",
    "data.authorization_code",
    "unknown",
    "data.unknown",
]


def stored(app: Flask) -> int:
    with app.app_context(), db.reading() as session:
        return session.scalar(select(func.count()).select_from(Notification)) or 0


def test_an_accepted_notification_is_queued(
    client: FlaskClient, body: dict[str, Any], state: Callable[..., dict[str, Any]]
) -> None:
    answer = client.post(PATH, json=body)

    assert answer.status_code == 202
    assert answer.get_json().keys() == {"notification_id", "event_id", "status"}
    assert answer.get_json()["notification_id"].startswith("ntf_")
    assert (answer.get_json()["event_id"], answer.get_json()["status"]) == ("evt_1", "queued")
    shown = state()
    assert shown["notification_id"] == answer.get_json()["notification_id"]
    assert (shown["status"], shown["recipient"]) == ("queued", "payer@example.org")
    assert (shown["attempts"], shown["sent_at"]) == ([], None)
    assert shown["accepted_at"].endswith("Z")


def test_accepting_takes_one_statement(app: Flask, client: FlaskClient, body: dict[str, Any]) -> None:
    statements: list[str] = []
    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", lambda *args: statements.append(args[2]))

    client.post(PATH, json=body)

    assert [statement.split()[0] for statement in statements if not statement.startswith("BEGIN")] == [
        "INSERT"
    ]


def test_the_same_event_again_gets_the_same_answer(
    app: Flask, client: FlaskClient, body: dict[str, Any]
) -> None:
    first = client.post(PATH, json=body)

    reordered = dict(reversed(list(body.items())))
    second = client.post(PATH, json=reordered)

    assert second.status_code == 202
    assert second.json == first.json
    assert stored(app) == 1


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("data.amount_minor", 399997),
        ("recipient.email", "other@example.org"),
        ("locale", "en"),
        ("type", "payment_reversed"),
    ],
)
def test_the_same_event_with_other_content_is_a_conflict(
    app: Flask, client: FlaskClient, body: dict[str, Any], changed: Change, path: str, value: Any
) -> None:
    client.post(PATH, json=body)

    answer = client.post(PATH, json=changed(path, value))

    assert answer.status_code == 409
    assert answer.get_json()["code"] == "event_reused"
    assert stored(app) == 1


def test_event_ids_that_differ_in_case_are_two(app: Flask, client: FlaskClient, changed: Change) -> None:
    answers = [client.post(PATH, json=changed("event_id", event_id)) for event_id in ("evt_A", "evt_a")]

    assert [answer.status_code for answer in answers] == [202, 202]
    assert stored(app) == 2


def test_equal_requests_that_arrive_together_are_one_notification(
    app: Flask, client: FlaskClient, body: dict[str, Any]
) -> None:
    together = threading.Barrier(8)
    answers: list[tuple[int, str]] = []

    def post() -> None:
        own_client = app.test_client()
        together.wait()
        answer = own_client.post(PATH, json=body, headers={"Authorization": "Bearer lab-service-token"})
        answers.append((answer.status_code, answer.get_json().get("notification_id")))

    threads = [threading.Thread(target=post) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(answers) == 8
    assert {status for status, _ in answers} == {202}
    assert len({notification_id for _, notification_id in answers}) == 1
    assert stored(app) == 1


def test_without_an_address_the_lab_user_gets_one(
    client: FlaskClient, changed: Change, state: Callable[..., dict[str, Any]]
) -> None:
    client.post(PATH, json=changed("recipient", {"email": None, "user_id": "7@x"}))

    assert state()["recipient"] == "user-7_x@shop.example"


def test_nobody_to_write_to_is_refused(client: FlaskClient, changed: Change) -> None:
    answer = client.post(PATH, json=changed("recipient", {"email": None, "user_id": None}))

    assert (answer.status_code, answer.get_json()["code"]) == (400, "no_recipient")


@pytest.mark.parametrize("authorization", [None, "Bearer wrong", "lab-service-token", "Bearer ", "Bearer é"])
def test_without_the_token_nothing_is_done(
    app: Flask, body: dict[str, Any], authorization: str | None
) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}

    answers = [app.test_client().post(PATH, json=body, headers=headers)]
    answers.append(app.test_client().get(f"{PATH}/evt_1", headers=headers))

    assert [answer.status_code for answer in answers] == [401, 401]
    assert stored(app) == 0


def test_an_unknown_event_is_not_found(client: FlaskClient) -> None:
    answer = client.get(f"{PATH}/evt_unknown")

    assert (answer.status_code, answer.get_json()["code"]) == (404, "notification_unknown")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("data.merchant.name", "Shop\r\nBcc: victim@example.org"),
        ("data.merchant.name", "Shop\u202e"),
        ("data.merchant.name", " "),
        ("data.merchant.name", "x" * 201),
        ("recipient.email", "payer@example.org\r\nBcc: victim@example.org"),
        ("recipient.email", "payer"),
        ("recipient.user_id", "1\n"),
        ("recipient.user_id", 1),
        ("locale", "de"),
        ("locale", "FR"),
        ("type", "payment_refunded"),
        ("data.amount_minor", 0),
        ("data.amount_minor", -1),
        ("data.amount_minor", 1.5),
        ("data.amount_minor", "399998"),
        ("data.amount_minor", True),
        ("data.amount_minor", 10**40),
        ("data.currency", "ZZZ"),
        ("data.currency", "mad"),
        ("data.occurred_at", "2026-11-21T09:05:00"),
        ("data.occurred_at", "0001-01-01T00:00:00Z"),
        ("data.occurred_at", "yesterday"),
        ("data.card.last4", "99999"),
        ("data.card.last4", "٩٩٩٩"),
        ("data.card", None),
        ("event_id", "evt 1"),
        ("event_id", "evt_1\n"),
        ("event_id", "x" * 65),
        ("unknown", 1),
        ("data.unknown", 1),
    ],
)
def test_bad_input_is_refused_with_a_problem(
    app: Flask, client: FlaskClient, changed: Change, path: str, value: Any
) -> None:
    answer = client.post(PATH, json=changed(path, value))

    assert answer.status_code == 400
    assert answer.content_type == "application/problem+json"
    assert answer.get_json()["error"] == answer.get_json()["detail"]
    assert path in answer.get_json()["errors"]
    assert stored(app) == 0


@pytest.mark.parametrize("path", [member for member in MEMBERS if "unknown" not in member])
def test_what_may_be_left_out_is_only_what_may_be_null(
    client: FlaskClient, changed: Change, path: str
) -> None:
    request = changed(path, None)
    inner = request
    *way, last = path.split(".")
    for name in way:
        inner = inner[name]
    del inner[last]

    answer = client.post(PATH, json=request)

    optional = path in {"recipient.email", "recipient.user_id", "data.authorization_code"}
    assert answer.status_code == (202 if optional else 400)


@pytest.mark.parametrize(
    ("raw", "content_type", "status"),
    [
        (b"", "application/json", 400),
        (b"{", "application/json", 400),
        (b"[]", "application/json", 400),
        (b"[" * 2000 + b"]" * 2000, "application/json", 400),
        (b'{"event_id": "a", "event_id": "b"}', "application/json", 400),
        (b'{"data": {"amount_minor": NaN}}', "application/json", 400),
        (b'{"data": {"amount_minor": 1e400}}', "application/json", 400),
        (b'{"event_id": "\xff"}', "application/json", 400),
        (b'{"event_id": "\\ud800"}', "application/json", 400),
        (b"event_id=1", "application/x-www-form-urlencoded", 415),
        (b" " * 70_000, "application/json", 413),
    ],
)
def test_what_is_no_such_json_is_refused(
    app: Flask, client: FlaskClient, raw: bytes, content_type: str, status: int
) -> None:
    answer = client.post(PATH, data=raw, content_type=content_type)

    assert answer.status_code == status
    assert answer.content_type == "application/problem+json"
    assert stored(app) == 0


@settings(
    max_examples=80,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(path=st.sampled_from(MEMBERS), value=JUNK)
def test_junk_is_refused_or_understood_but_never_a_defect(
    app: Flask, client: FlaskClient, changed: Change, path: str, value: Any
) -> None:
    before = stored(app)

    answer = client.post(PATH, json=changed(path, value))

    assert answer.status_code in {202, 400, 409}
    if answer.status_code != 202:
        assert answer.content_type == "application/problem+json"
        assert stored(app) == before
