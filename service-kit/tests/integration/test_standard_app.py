"""What every service has: identity, budget, strict bodies, problem documents, health, the service token."""

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import marshmallow as ma
import pytest
from flask import Flask
from flask.testing import FlaskClient
from service_kit.db.database import CommitOutcomeUnknown, Database, DatabaseUnavailable
from service_kit.db.engine import engine_options
from service_kit.deadlines import current_deadline
from service_kit.process import logs
from service_kit.web import standard_app
from service_kit.web.api import Blueprint
from service_kit.web.problems import Problem
from service_kit.web.request_context import current_request_id, outgoing_headers
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError
from werkzeug.test import TestResponse

from tests.testkit.fake_clock import FakeClock

pytestmark = pytest.mark.engines("sqlite")


class ThingMissing(Exception):
    """A domain error of the service in these tests."""


class ThingSchema(ma.Schema):
    amount = ma.fields.Decimal(required=True)
    inner = ma.fields.Nested(ma.Schema.from_dict({"n": ma.fields.Integer(required=True)}))


things = Blueprint("things", "things")
secret = Blueprint("secret", "secret")
RAISED: dict[str, Exception] = {
    "missing": ThingMissing(),
    "unavailable": DatabaseUnavailable(),
    "unknown": CommitOutcomeUnknown(None),
    "defect": RuntimeError("the driver says 4242424242424242"),
}


def echo(body: dict[str, Any]) -> Any:
    return {"amount": body["amount"], "id": current_request_id(), "out": outgoing_headers()}


def fail(name: str) -> Any:
    raise RAISED[name]


def budget() -> Any:
    deadline = current_deadline()
    return {"left": -1 if deadline is None else round(deadline.remaining_s())}


def quick() -> Any:
    return budget()


def internal() -> Any:
    return {"inside": True}


# By calls and not by decorators: flask-smorest's carry no types.
things.post("/things")(things.arguments(ThingSchema)(echo))
things.get("/raise/<name>")(fail)
things.get("/budget")(things.response(200)(budget))
things.get("/quick")(things.response(200)(quick))
secret.get("/internal/thing")(secret.response(200)(internal))


@pytest.fixture
def client(database_url: str) -> Iterator[FlaskClient]:
    app = Flask("kit-test")
    db = Database()
    api = standard_app.begin(app, db, database_url, title="Kit", description="For tests")
    api.register_blueprint(things)
    api.register_blueprint(secret)
    standard_app.require_token(app, [secret], "the-token")
    standard_app.finish(
        app,
        {ThingMissing: lambda _: Problem(404, "thing_missing", "No such thing.", headers={"X-Hint": "look"})},
        budget_s=30,
        budgets_s={"things.quick": 3},
    )
    yield app.test_client()
    with app.app_context():
        db.engine.dispose()


def problem(response: TestResponse) -> Any:
    assert response.content_type == "application/problem+json"
    assert response.headers["Cache-Control"] == "no-store"
    document = response.json
    assert document is not None
    assert document["status"] == response.status_code
    assert document["error"] == document["detail"]
    assert document["type"] == f"urn:problem:{document['code']}"
    return document


def test_numbers_go_in_and_out_exactly(client: FlaskClient) -> None:
    response = client.post("/things", data=b'{"amount":0.10}', content_type="application/json")

    assert response.status_code == 200
    assert '"amount":0.10' in response.text
    assert response.json is not None
    assert response.json["amount"] == Decimal("0.10")


def test_a_request_keeps_the_id_and_trace_that_it_came_with(client: FlaskClient) -> None:
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    response = client.post(
        "/things", json={"amount": 1}, headers={"X-Request-Id": "abc-1.2_3", "traceparent": trace}
    )

    assert response.headers["X-Request-Id"] == "abc-1.2_3"
    assert response.json is not None
    assert response.json["out"] == {"X-Request-Id": "abc-1.2_3", "traceparent": trace}


def test_every_line_of_a_traced_request_bears_its_trace(
    client: FlaskClient, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.configure("kit-test")
    trace_id = "4bf92f3577b34da6a3ce929d0e0e4736"

    client.get("/raise/defect", headers={"traceparent": f"00-{trace_id}-00f067aa0ba902b7-01"})
    client.get("/budget")

    defect, traced, other = map(json.loads, capsys.readouterr().out.splitlines())
    assert (defect["trace_id"], traced["trace_id"]) == (trace_id, trace_id)
    assert "trace_id" not in other


def test_a_request_is_logged_by_its_route_and_never_by_its_path(
    client: FlaskClient, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.configure("kit-test")

    client.get("/raise/missing?x=secret")
    client.get("/nothing/secret")

    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["route"] for line in lines] == ["/raise/<name>", None]
    assert "missing" not in json.dumps(lines)
    assert "secret" not in json.dumps(lines)


def test_a_database_error_shows_no_parameters(database_url: str) -> None:
    engine = create_engine(database_url, **engine_options(database_url))

    with pytest.raises(DBAPIError) as failure, engine.connect() as connection:
        connection.execute(text("SELECT nothing WHERE 1 = :address"), {"address": "zoe@example.com"})

    assert "zoe@example.com" not in str(failure.value)
    engine.dispose()


@pytest.mark.parametrize("given", ["", "a b", "x" * 65, "é", "a;b"])
def test_an_id_that_could_do_harm_is_replaced(client: FlaskClient, given: str) -> None:
    response = client.post(
        "/things", json={"amount": 1}, headers={"X-Request-Id": given, "traceparent": "junk"}
    )

    assert response.headers["X-Request-Id"] != given
    assert response.headers["X-Request-Id"].startswith("req_")
    assert response.json is not None
    assert "traceparent" not in response.json["out"]


@pytest.mark.parametrize(("path", "status"), [("/budget", 200), ("/nothing", 404), ("/raise/defect", 500)])
def test_no_browser_guesses_the_type_of_an_answer(client: FlaskClient, path: str, status: int) -> None:
    straight = client.get(path)
    through_the_gateway = client.get(path, headers={"X-Forwarded-Host": "shop.example"})

    assert straight.status_code == status
    assert straight.headers["X-Content-Type-Options"] == "nosniff"
    assert "X-Content-Type-Options" not in through_the_gateway.headers


def test_every_endpoint_has_its_budget(client: FlaskClient) -> None:
    with FakeClock().running():
        assert client.get("/budget").json == {"left": 30}
        assert client.get("/quick").json == {"left": 3}
    assert current_deadline() is None


def test_a_domain_error_is_what_the_table_says(client: FlaskClient) -> None:
    response = client.get("/raise/missing")

    assert (response.status_code, problem(response)["code"]) == (404, "thing_missing")
    assert response.headers["X-Hint"] == "look"
    assert problem(response)["instance"] == "/raise/missing"


@pytest.mark.parametrize("name", ["unavailable", "unknown"])
def test_a_database_that_is_away_is_503(client: FlaskClient, name: str) -> None:
    response = client.get(f"/raise/{name}")

    assert (response.status_code, problem(response)["code"]) == (503, "database_unavailable")
    assert int(response.headers["Retry-After"]) > 0


def test_a_defect_tells_nothing_of_its_inside(client: FlaskClient) -> None:
    response = client.get("/raise/defect")

    assert (response.status_code, problem(response)["code"]) == (500, "internal_error")
    assert "driver" not in response.text
    assert "4242" not in response.text


def test_wrong_input_is_told_by_field(client: FlaskClient) -> None:
    response = client.post("/things", json={"inner": {"n": "x"}})

    assert response.status_code == 400
    assert problem(response)["errors"] == {
        "amount": ["Missing data for required field."],
        "inner.n": ["Not a valid integer."],
    }


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nothing", 404), ("PUT", "/things", 405), ("GET", "/things/", 404)],
)
def test_what_is_not_there_is_a_problem_too(client: FlaskClient, method: str, path: str, status: int) -> None:
    response = client.open(path, method=method)

    assert (response.status_code, problem(response)["status"]) == (status, status)
    assert ("Allow" in response.headers) is (status == 405)


def test_a_body_that_is_not_json_by_its_own_word_is_415(client: FlaskClient) -> None:
    assert client.post("/things", data=b"{}", content_type="text/plain").status_code == 415


def test_a_body_is_refused_by_its_length_before_it_is_read(client: FlaskClient) -> None:
    response = client.post("/things", data=b" " * (64 * 1024 + 1), content_type="application/json")

    assert (response.status_code, problem(response)["status"]) == (413, 413)


@pytest.mark.parametrize(
    "header",
    [None, "", "Bearer", "Bearer wrong", "bearer the-token", "the-token", "Bearer the-token ", "Bearer é"],
)
def test_nobody_comes_in_without_the_service_token(client: FlaskClient, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}

    assert client.get("/internal/thing", headers=headers).status_code == 401


def test_our_services_come_in(client: FlaskClient) -> None:
    response = client.get("/internal/thing", headers={"Authorization": "Bearer the-token"})

    assert (response.status_code, response.json) == (200, {"inside": True})


def test_an_empty_service_token_is_refused_at_start() -> None:
    with pytest.raises(ValueError, match="everybody"):
        standard_app.require_token(Flask("x"), [Blueprint("x", "x")], "")


def test_health_is_told(client: FlaskClient, database_url: str) -> None:
    Path(database_url.removeprefix("sqlite:///")).touch()

    assert client.get("/health/live").json == {"status": "ok"}
    assert client.get("/health/ready").json == {"status": "ok"}
