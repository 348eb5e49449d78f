"""The OpenAPI document says what the service does."""

from typing import Any

import pytest
from flask.testing import FlaskClient

Document = dict[str, Any]


@pytest.fixture
def document(client: FlaskClient) -> Document:
    answer: Document | None = client.get("/openapi.json").json
    assert answer is not None
    return answer


def resolve(document: Document, schema: Document) -> Document:
    name = schema["$ref"].rsplit("/", 1)[1]
    resolved: Document = document["components"]["schemas"][name]
    return resolved


def example(document: Document, schema: Document) -> Any:
    """Put the examples of the members together."""
    if "$ref" in schema:
        properties = resolve(document, schema)["properties"]
        return {name: example(document, member) for name, member in properties.items()}
    return schema["example"]


def test_the_documented_example_is_judged_and_its_answers_are_as_documented(
    client: FlaskClient, document: Document
) -> None:
    operation = document["paths"]["/internal/assessments"]["post"]
    body = example(document, operation["requestBody"]["content"]["application/json"]["schema"])

    created = client.post("/internal/assessments", json=body)
    explained = client.get(f"/internal/assessments/{body['attempt_id']}")

    explaining = document["paths"]["/internal/assessments/{attempt_id}"]["get"]
    for response, described in (
        (created, operation["responses"]["201"]),
        (explained, explaining["responses"]["200"]),
    ):
        schema = resolve(document, described["content"]["application/json"]["schema"])
        assert response.status_code in {200, 201}
        assert response.json is not None
        assert set(response.json) == set(schema["properties"])


def test_a_batch_of_the_documented_example_is_stored(client: FlaskClient, document: Document) -> None:
    described = document["components"]["schemas"]["Outcome"]["properties"]
    outcome = {name: example(document, member) for name, member in described.items()}

    answer = client.post("/internal/outcomes", json={"outcomes": [outcome]})

    assert (answer.status_code, answer.json) == (202, {"accepted": 1})


def test_every_problem_is_documented_as_one(document: Document) -> None:
    statuses = set()
    for path in document["paths"].values():
        for operation in (path.get("post"), path.get("get")):
            for status, response in (operation or {"responses": {}})["responses"].items():
                if status.isdigit() and int(status) >= 400:
                    statuses.add(status)
                    assert list(response["content"]) == ["application/problem+json"]

    assert statuses == {"400", "401", "404", "409", "413", "415", "503"}


def test_every_route_asks_for_the_token(document: Document) -> None:
    operations = [
        document["paths"]["/internal/assessments"]["post"],
        document["paths"]["/internal/assessments/{attempt_id}"]["get"],
        document["paths"]["/internal/outcomes"]["post"],
    ]

    assert len(document["paths"]) == len(operations)
    assert [operation["security"] for operation in operations] == [[{"service_token": []}]] * 3
    assert document["components"]["securitySchemes"] == {
        "service_token": {"type": "http", "scheme": "bearer"}
    }
