"""What payers are told of events, and GET /internal/notifications."""

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from notification_service.app import create_app
from notification_service.config import Config
from notification_service.extensions import db
from notification_service.models import Base, Notification, ReceivedEvent
from sqlalchemy import event, func, select
from werkzeug.test import TestResponse

PATH = "/internal/events"
Change = Callable[[str, Any], dict[str, Any]]
Tell = Callable[..., TestResponse]
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
    "payment",
    "payment.type",
    "payment.locale",
    "payment.recipient",
    "payment.recipient.email",
    "payment.recipient.user_id",
    "payment.payment_id",
    "payment.order_id",
    "payment.amount_minor",
    "payment.currency",
    "payment.merchant",
    "payment.merchant.name",
    "payment.merchant.legal_name",
    "payment.merchant.address",
    "payment.merchant.tax_number",
    "payment.line_items",
    "payment.card",
    "payment.card.last4",
    "payment.authorization_code",
    "unknown",
    "payment.unknown",
]


def stored(app: Flask, model: type[Base] = Notification) -> int:
    with app.app_context(), db.reading() as session:
        return session.scalar(select(func.count()).select_from(model)) or 0


def test_who_paid_is_told(tell: Tell, body: dict[str, Any], state: Callable[..., dict[str, Any]]) -> None:
    answer = tell(body)

    assert (answer.status_code, answer.get_json()) == (202, {"accepted": 1})
    shown = state()
    assert shown["notification_id"].startswith("ntf_")
    assert (shown["event_id"], shown["type"], shown["locale"]) == ("evt_1", "payment_receipt", "fr")
    assert (shown["status"], shown["recipient"]) == ("queued", "payer@example.org")
    assert (shown["attempts"], shown["sent_at"]) == ([], None)
    assert shown["accepted_at"].endswith("Z")


def test_of_an_event_without_a_payment_nobody_is_told(app: Flask, tell: Tell, body: dict[str, Any]) -> None:
    del body["payment"]

    assert tell(body).status_code == 202
    assert (stored(app), stored(app, ReceivedEvent)) == (0, 1)


def test_accepting_takes_four_statements_however_many_events_come(
    app: Flask, tell: Tell, changed: Change
) -> None:
    statements: list[str] = []
    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", lambda *args: statements.append(args[2]))

    tell(*(changed("event.id", f"evt_{number}") for number in range(20)))

    words = [statement.split()[0] for statement in statements if not statement.startswith("BEGIN")]
    assert words == ["SELECT", "INSERT", "SELECT", "INSERT"]


def test_who_was_told_is_not_told_again(
    app: Flask, tell: Tell, body: dict[str, Any], changed: Change
) -> None:
    tell(body)

    again = tell(body, changed("payment.amount_minor", 1))

    assert (again.status_code, again.get_json()) == (202, {"accepted": 0})
    assert stored(app) == 1


def test_an_event_that_was_stored_before_is_told_when_it_brings_its_payment(
    app: Flask, tell: Tell, body: dict[str, Any]
) -> None:
    tell({name: value for name, value in body.items() if name != "payment"})

    assert tell(body).get_json() == {"accepted": 0}
    assert stored(app) == 1


def test_event_ids_that_differ_in_case_are_two(app: Flask, tell: Tell, changed: Change) -> None:
    tell(*(changed("event.id", event_id) for event_id in ("evt_A", "evt_a")))

    assert stored(app) == 2


def test_equal_batches_that_arrive_together_tell_once(app: Flask, body: dict[str, Any]) -> None:
    together = threading.Barrier(8)
    answers: list[int] = []

    def post() -> None:
        client = app.test_client()
        together.wait()
        headers = {"Authorization": "Bearer lab-service-token"}
        answers.append(client.post(PATH, json={"events": [body]}, headers=headers).status_code)

    threads = [threading.Thread(target=post) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert answers == [202] * 8
    assert stored(app) == 1


def test_without_an_address_the_lab_user_gets_one(
    tell: Tell, changed: Change, state: Callable[..., dict[str, Any]]
) -> None:
    tell(changed("payment.recipient", {"email": None, "user_id": "7@x"}))

    assert state()["recipient"] == "user-7_x@shop.example"


def test_where_there_is_nobody_to_write_to_the_event_is_kept(
    app: Flask, tell: Tell, changed: Change, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = tell(changed("payment.recipient", {"email": None, "user_id": None}))

    assert answer.status_code == 202
    assert (stored(app), stored(app, ReceivedEvent)) == (0, 1)
    assert "nobody_to_write_to" in capsys.readouterr().out


def test_an_unknown_event_is_not_found(client: FlaskClient) -> None:
    answer = client.get("/internal/notifications/evt_unknown")

    assert (answer.status_code, answer.get_json()["code"]) == (404, "notification_unknown")


def test_where_an_email_stands_is_told_with_the_token_only(app: Flask) -> None:
    assert app.test_client().get("/internal/notifications/evt_1").status_code == 401


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("payment.merchant.name", "Shop\r\nBcc: victim@example.org"),
        ("payment.merchant.name", "Shop\u202e"),
        ("payment.merchant.name", " "),
        ("payment.merchant.name", "x" * 201),
        ("payment.recipient.email", "payer@example.org\r\nBcc: victim@example.org"),
        ("payment.recipient.email", "payer"),
        ("payment.recipient.user_id", "1\n"),
        ("payment.recipient.user_id", 1),
        ("payment.locale", "de"),
        ("payment.locale", "FR"),
        ("payment.type", "payment_refunded"),
        ("payment.amount_minor", 0),
        ("payment.amount_minor", -1),
        ("payment.amount_minor", 1.5),
        ("payment.amount_minor", "399998"),
        ("payment.amount_minor", True),
        ("payment.amount_minor", 10**40),
        ("payment.currency", "ZZZ"),
        ("payment.currency", "mad"),
        ("payment.card.last4", "99999"),
        ("payment.card.last4", "٩٩٩٩"),
        ("payment.card", None),
        ("payment.merchant.tax_number", "IF\n1"),
        ("payment.merchant.address", "2, rue du Port"),
        ("payment.merchant.address", ["Rabat\r\nBcc: x@example.org"]),
        ("payment.line_items", [{"name": "x", "quantity": 0, "unit_amount": 1, "tax_amount": 0}]),
        ("payment.line_items", [{"name": "x", "quantity": 1, "unit_amount": -1, "tax_amount": 0}]),
        ("payment", []),
        ("unknown", 1),
        ("payment.unknown", 1),
    ],
)
def test_what_cannot_be_told_refuses_the_batch(
    app: Flask, tell: Tell, changed: Change, path: str, value: Any
) -> None:
    answer = tell(changed(path, value))

    assert answer.status_code == 400
    assert answer.content_type == "application/problem+json"
    assert answer.get_json()["error"] == answer.get_json()["detail"]
    assert any(name.startswith(f"events.0.{path}") for name in answer.get_json()["errors"])
    assert stored(app) == stored(app, ReceivedEvent) == 0


@pytest.mark.parametrize("path", [member for member in MEMBERS if "unknown" not in member])
def test_what_may_be_left_out_is_only_what_may_be_null(tell: Tell, changed: Change, path: str) -> None:
    request = changed(path, None)
    inner = request
    *way, last = path.split(".")
    for name in way:
        inner = inner[name]
    del inner[last]

    answer = tell(request)

    optional = {
        "payment.merchant.legal_name",
        "payment.merchant.address",
        "payment.merchant.tax_number",
        "payment.line_items",
        "payment",
        "payment.recipient.email",
        "payment.recipient.user_id",
        "payment.authorization_code",
    }
    assert answer.status_code == (202 if path in optional else 400)


@pytest.mark.parametrize(
    ("raw", "content_type", "status"),
    [
        (b"", "application/json", 400),
        (b"{", "application/json", 400),
        (b"[]", "application/json", 400),
        (b"[" * 2000 + b"]" * 2000, "application/json", 400),
        (b'{"events": [], "events": []}', "application/json", 400),
        (b'{"events": NaN}', "application/json", 400),
        (b'{"events": "\xff"}', "application/json", 400),
        (b'{"events": "\\ud800"}', "application/json", 400),
        (b"events=1", "application/x-www-form-urlencoded", 415),
        (b" " * 1_100_000, "application/json", 413),
    ],
)
def test_what_is_no_such_json_is_refused(
    app: Flask, client: FlaskClient, raw: bytes, content_type: str, status: int
) -> None:
    answer = client.post(PATH, data=raw, content_type=content_type)

    assert answer.status_code == status
    assert answer.content_type == "application/problem+json"
    assert stored(app, ReceivedEvent) == 0


def test_an_installation_without_made_up_addresses_tells_who_gave_one(
    config: Config, changed: Change
) -> None:
    app = create_app(replace(config, lab_receipt_address=""))
    client = app.test_client()

    without = changed("payment.recipient", {"email": None, "user_id": "1"})
    given_one = changed("event.id", "evt_2")
    headers = {"Authorization": "Bearer lab-service-token"}
    answer = client.post(PATH, json={"events": [without, given_one]}, headers=headers)

    assert answer.status_code == 202
    assert stored(app) == 1


@settings(
    max_examples=80,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(path=st.sampled_from(MEMBERS), value=JUNK)
def test_junk_is_refused_or_understood_but_never_a_defect(
    app: Flask, tell: Tell, changed: Change, path: str, value: Any
) -> None:
    before = stored(app)

    answer = tell(changed(path, value))

    assert answer.status_code in {202, 400}
    if answer.status_code != 202:
        assert answer.content_type == "application/problem+json"
        assert stored(app) == before
