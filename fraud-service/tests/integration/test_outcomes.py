"""Outcomes: a batch is stored whole or not at all, and each event once."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from fraud_service.extensions import db
from fraud_service.models import Outcome
from sqlalchemy import select

PATH = "/internal/outcomes"


def outcome(number: int = 1, **changes: Any) -> dict[str, Any]:
    return {
        "event_id": f"evt_1_{number}",
        "kind": "captured",
        "merchant_id": "mer_1",
        "payment_id": "pay_1",
        "attempt_id": "att_1",
        "card_fingerprint": "5f" * 32,
        "amount_minor": 1999,
        "currency": "MAD",
        "occurred_at": "2026-11-21T09:05:00.000123+00:00",
        **changes,
    }


def send(client: FlaskClient, *outcomes: dict[str, Any]) -> tuple[int, Any]:
    answer = client.post(PATH, json={"outcomes": list(outcomes)})
    return answer.status_code, answer.get_json()


@pytest.fixture
def stored(app: Flask) -> Callable[[], Sequence[Outcome]]:
    def read() -> Sequence[Outcome]:
        with app.app_context(), db.reading() as session:
            rows = session.scalars(select(Outcome).order_by(Outcome.id)).all()
            session.expunge_all()
        return rows

    return read


def test_outcomes_are_stored_with_what_leads_to_the_attempt(
    client: FlaskClient, stored: Callable[[], Sequence[Outcome]]
) -> None:
    unknown = {"attempt_id": None, "card_fingerprint": None, "amount_minor": None, "currency": None}

    assert send(client, outcome(1), outcome(2, kind="charged_back", **unknown)) == (202, {"accepted": 2})

    first, second = stored()
    assert (first.event_id, first.kind, first.attempt_id) == ("evt_1_1", "captured", "att_1")
    assert (first.merchant_id, first.payment_id, first.card_fingerprint) == ("mer_1", "pay_1", "5f" * 32)
    assert (first.amount_minor, first.currency) == (1999, "MAD")
    assert first.occurred_at.isoformat() == "2026-11-21T09:05:00.000123+00:00"
    assert (second.kind, second.attempt_id, second.amount_minor) == ("charged_back", None, None)


@pytest.mark.parametrize(
    "kind", ["declined", "authorized", "captured", "refunded", "disputed", "dispute_won", "charged_back"]
)
def test_every_kind_is_taken(client: FlaskClient, kind: str) -> None:
    assert send(client, outcome(kind=kind)) == (202, {"accepted": 1})


def test_an_outcome_that_comes_again_is_stored_once(
    client: FlaskClient, stored: Callable[[], Sequence[Outcome]]
) -> None:
    send(client, outcome(1), outcome(2))

    assert send(client, outcome(2, amount_minor=1), outcome(3), outcome(3)) == (202, {"accepted": 1})
    assert [(row.event_id, row.amount_minor) for row in stored()] == [
        ("evt_1_1", 1999),
        ("evt_1_2", 1999),
        ("evt_1_3", 1999),
    ]


def test_a_hundred_are_one_batch_and_more_are_refused(client: FlaskClient) -> None:
    batch = [outcome(number, event_id=f"{number:064}") for number in range(100)]

    assert send(client, *batch) == (202, {"accepted": 100})
    assert send(client, *batch, outcome(101))[0] == 400


@pytest.mark.parametrize(
    "changes",
    [
        {"event_id": None},
        {"event_id": "é"},
        {"kind": "paid"},
        {"kind": None},
        {"payment_id": ""},
        {"card_fingerprint": "5F" * 32},
        {"amount_minor": -1},
        {"amount_minor": "1999"},
        {"currency": "mad"},
        {"decline_code": "x" * 41},
        {"decline_code": ""},
        {"occurred_at": "2026-11-21T09:05:00"},
        {"more": 1},
    ],
)
def test_one_outcome_that_is_none_refuses_the_batch(
    client: FlaskClient, stored: Callable[[], Sequence[Outcome]], changes: dict[str, Any]
) -> None:
    assert send(client, outcome(1), outcome(2, **changes))[0] == 400
    assert stored() == []


def test_no_member_may_be_missing(client: FlaskClient) -> None:
    for name in outcome():
        broken = outcome()
        del broken[name]

        assert send(client, broken)[0] == 400, name


def test_without_the_token_nobody_gets_in(app: Flask) -> None:
    assert app.test_client().post(PATH, json={"outcomes": [outcome()]}).status_code == 401
