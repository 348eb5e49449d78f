"""GET /internal/assessments/{attempt_id}: every input of a decision, as it was."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient
from fraud_service.app import create_app
from fraud_service.config import Config
from fraud_service.rules import RULES_VERSION
from fraud_service.values.inputs import VelocityLimit
from werkzeug.test import TestResponse

Body = Callable[..., dict[str, Any]]


def test_a_decision_of_the_limits_is_explained_whole(
    client: FlaskClient, ask: Callable[..., TestResponse], make_body: Body, clock: Any
) -> None:
    for _ in range(10):
        ask(client_ip="203.0.113.7")
    clock.move(seconds=5)
    body = make_body(client_ip="203.0.113.7", amount_minor=10_000_001)
    answer = client.post("/internal/assessments", json=body).json

    explanation = client.get(f"/internal/assessments/{body['attempt_id']}")

    assert explanation.status_code == 200
    assert answer is not None
    assert explanation.json == {
        "assessment_id": answer["assessment_id"],
        "attempt_id": body["attempt_id"],
        "decision": "decline",
        "score": 90,
        "reasons": [
            {"rule": "amount_limit", "detail": "10000001 is more than 10000000 minor units of MAD"},
            {"rule": "velocity_card", "detail": "more than 10 attempts with this card within 600 s"},
        ],
        "rules_version": RULES_VERSION,
        "assessed_at": "2026-11-21T09:00:05.123456Z",
        "request": body,
        "counters": {
            "card": 11,
            "user": 11,
            "ip": 11,
            "ip_cards": 1,
            "ip_cards_paid": 0,
            "bin_cards": 1,
            "bin_cards_paid": 0,
            "wrong_cvvs": 0,
            "wrong_cvvs_here": 0,
        },
        "thresholds": {
            "amount_minor": {"MAD": 10_000_000, "EUR": 1_000_000, "USD": 1_000_000, "*": 1_000_000},
            "velocity_card": {"attempts": 10, "window_s": 600},
            "velocity_user": {"attempts": 30, "window_s": 600},
            "velocity_ip": {"attempts": 300, "window_s": 600},
            "cards_ip": {"cards": 20, "window_s": 600},
            "cards_bin": {"cards": 50, "window_s": 600},
            "wrong_cvv": {"attempts": 100, "window_s": 86_400},
        },
        "list_entries": [],
    }


def test_the_entries_that_fitted_stay_readable_after_they_were_removed(
    client: FlaskClient,
    ask: Callable[..., TestResponse],
    list_add: Callable[..., None],
    cli: Callable[..., Any],
) -> None:
    list_add("allow", "bin", "400000")
    list_add("deny", "user", "mer_1/1", lasts_s=60)
    list_add("deny", "user", "mer_1/2")
    ask(attempt_id="att_listed")
    cli("lists", "remove", "deny", "user", "mer_1/1")

    explanation = client.get("/internal/assessments/att_listed").json

    common = {"reason": "a test", "created_at": "2026-11-21T09:00:00.123456Z", "created_by": "tests"}
    assert explanation is not None
    assert explanation["decision"] == "decline"
    assert explanation["list_entries"] == [
        {"kind": "allow", "subject": "bin", "value": "400000", "expires_at": None, **common},
        {
            "kind": "deny",
            "subject": "user",
            "value": "mer_1/1",
            "expires_at": "2026-11-21T09:01:00.123456Z",
            **common,
        },
    ]
    assert explanation["counters"] == {
        "card": 1,
        "user": 1,
        "ip": None,
        "ip_cards": None,
        "ip_cards_paid": None,
        "bin_cards": 1,
        "bin_cards_paid": 0,
        "wrong_cvvs": 0,
        "wrong_cvvs_here": 0,
    }


def test_an_explanation_shows_the_limits_of_its_time(
    client: FlaskClient, ask: Callable[..., TestResponse], config: Config
) -> None:
    ask(attempt_id="att_before")
    before = client.get("/internal/assessments/att_before").data
    stricter = replace(config.thresholds, velocity_card=VelocityLimit(1, 1), amount_minor={"*": 1})
    later = create_app(replace(config, thresholds=stricter)).test_client()

    after = later.get(
        "/internal/assessments/att_before", headers={"Authorization": f"Bearer {config.service_token}"}
    )

    assert after.data == before


@pytest.mark.parametrize("attempt_id", ["att_unknown", "é", "💳", "a" * 3000, "%", "' OR 1=1"])
def test_an_unknown_attempt_is_not_found(
    client: FlaskClient, ask: Callable[..., TestResponse], attempt_id: str
) -> None:
    ask()

    response = client.get(f"/internal/assessments/{quote(attempt_id)}")

    assert response.status_code == 404
    assert response.content_type == "application/problem+json"
