"""The OpenAPI document: complete, and its examples are what the service takes and gives."""

from collections.abc import Callable
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

Tell = Callable[..., TestResponse]
PATH = "/internal/notifications"
EVENTS = "/internal/events"


def test_every_route_says_what_it_answers(client: FlaskClient) -> None:
    document = client.get("/openapi.json").get_json()

    assert document["openapi"].startswith("3.1")
    routes = document["paths"]
    assert set(routes) == {f"{PATH}/{{event_id}}", EVENTS}
    assert {"202", "400", "401"} <= set(routes[EVENTS]["post"]["responses"])
    assert {"200", "401", "404"} <= set(routes[f"{PATH}/{{event_id}}"]["get"]["responses"])
    for methods in routes.values():
        for route in (methods[name] for name in methods if name in {"get", "post"}):
            assert route["summary"]
            assert route["security"] == [{"service_token": []}]


def test_a_batch_made_of_the_examples_is_accepted(client: FlaskClient) -> None:
    schemas = client.get("/openapi.json").get_json()["components"]["schemas"]

    answer = client.post(EVENTS, json={"events": [example(schemas, "SentEvent")]})

    assert (answer.status_code, answer.get_json()) == (202, {"accepted": 1})
    assert set(answer.get_json()) == set(schemas["EventsAccepted"]["properties"])


def test_answers_have_the_documented_members(
    tell: Tell,
    client: FlaskClient,
    body: dict[str, Any],
    state: Callable[..., dict[str, Any]],
    deliver_due: Callable[..., None],
) -> None:
    schemas = client.get("/openapi.json").get_json()["components"]["schemas"]

    tell(body)
    deliver_due()
    shown = state()
    problem = client.get(f"{PATH}/unknown").get_json()

    assert set(shown) == set(schemas["NotificationState"]["properties"])
    assert set(shown["attempts"][0]) == set(schemas["Attempt"]["properties"])
    assert set(problem) <= set(schemas["Problem"]["properties"])


def example(schemas: dict[str, Any], name: str) -> dict[str, Any]:
    """Put a request together from the examples in the document."""
    return {
        member: example(schemas, reference.rpartition("/")[2])
        if (reference := reference_of(schema))
        else first_value(schema)
        for member, schema in schemas[name]["properties"].items()
    }


def reference_of(schema: dict[str, Any]) -> str | None:
    """Return which schema this one is, if it may not be null as well, too."""
    either = schema.get("anyOf", [schema])
    reference: str | None = either[0].get("$ref")
    return reference


def first_value(schema: dict[str, Any]) -> Any:
    if "examples" in schema:
        return schema["examples"][0]
    return schema["enum"][0]
