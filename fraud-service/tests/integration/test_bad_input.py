"""Whatever comes in, the answer is a problem document and nothing is stored."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

Body = Callable[..., dict[str, Any]]

NO_STRING = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.lists(st.integers()), st.just({"a": 1})
)
CONTROL = st.sampled_from([chr(code) for code in (*range(0x20), *range(0x7F, 0xA0))])
NO_TEXT = st.one_of(
    NO_STRING,
    st.just(""),
    st.text(min_size=65, max_size=300),
    st.tuples(st.text(max_size=20), CONTROL, st.text(max_size=20)).map("".join),
    st.just("\ud800"),
)
NO_ID = st.one_of(NO_TEXT, st.sampled_from(["a b", "é", "a/b", "pay_1\n", "'; --", "٣"]))
NO_AMOUNT = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(max_value=0),
    st.integers(min_value=10**15 + 1, max_value=10**400),
    # 1.0 is the whole number 1, as JSON Schema has it.
    st.floats().filter(lambda value: not value.is_integer() or not 1 <= value <= 10**15),
    st.text(max_size=20),
    st.lists(st.integers()),
)
NO_ADDRESS = st.one_of(
    NO_STRING.filter(lambda value: value is not None),
    st.sampled_from(["", "localhost", "203.0.113", "203.0.113.7/32", "fe80::1%eth0", "1" * 5000, "٣.٣.٣.٣"]),
)


def no_digits(length: int) -> st.SearchStrategy[Any]:
    wrong = ["1" * (length - 1), "1" * (length + 1), "g" * length, "٣" * length, "1" * length + "\n"]
    return st.one_of(NO_TEXT, st.sampled_from(wrong))


WRONG = {
    "attempt_id": NO_ID,
    "payment_id": NO_ID,
    "merchant_id": NO_ID,
    "amount_minor": NO_AMOUNT,
    "currency": st.one_of(NO_TEXT, st.sampled_from(["mad", "MA", "MADE", "MAD\n"])),
    "card": st.one_of(NO_STRING, st.text(max_size=70)),
    "card.fingerprint": no_digits(64),
    "card.bin": no_digits(6),
    "card.last4": no_digits(4),
    "user_id": NO_TEXT,
    "order_id": NO_TEXT,
    "client_ip": NO_ADDRESS,
}


def set_member(body: dict[str, Any], path: str, value: Any) -> None:
    *parents, name = path.split(".")
    for parent in parents:
        body = body[parent]
    body[name] = value


def assert_refused(response: TestResponse, status: int = 400) -> None:
    assert response.status_code == status, response.text
    assert response.content_type == "application/problem+json"
    problem = response.json
    assert problem is not None
    assert problem["status"] == status
    assert problem["error"] == problem["detail"]
    assert problem["detail"]
    assert problem["request_id"]


generated = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@generated
@given(data=st.data())
def test_a_wrong_value_anywhere_is_refused(
    client: FlaskClient, make_body: Body, count_assessments: Callable[[], int], data: st.DataObject
) -> None:
    path = data.draw(st.sampled_from(sorted(WRONG)))
    body = make_body()
    set_member(body, path, data.draw(WRONG[path]))

    response = client.post("/internal/assessments", data=json.dumps(body), content_type="application/json")

    assert_refused(response)
    assert count_assessments() == 0


@generated
@given(text=st.one_of(st.binary(max_size=200), st.text(max_size=200).map(str.encode)))
def test_a_body_of_junk_is_refused(
    client: FlaskClient, count_assessments: Callable[[], int], text: bytes
) -> None:
    assert_refused(client.post("/internal/assessments", data=text, content_type="application/json"))
    assert count_assessments() == 0


@pytest.mark.parametrize("path", sorted(WRONG))
def test_every_member_is_required(
    client: FlaskClient, make_body: Body, count_assessments: Callable[[], int], path: str
) -> None:
    body = make_body()
    *parents, name = path.split(".")
    del (body[parents[0]] if parents else body)[name]

    response = client.post("/internal/assessments", json=body)

    assert_refused(response)
    assert response.json is not None
    assert list(response.json["errors"]) == [path]
    assert count_assessments() == 0


@pytest.mark.parametrize("path", ["note", "card.number", "card.cvv"])
def test_an_unknown_member_is_refused(
    client: FlaskClient, make_body: Body, count_assessments: Callable[[], int], path: str
) -> None:
    body = make_body()
    set_member(body, path, "4000000000000002")

    response = client.post("/internal/assessments", json=body)

    assert_refused(response)
    assert "4000000000000002" not in response.text
    assert count_assessments() == 0


@pytest.mark.parametrize(
    "replacement", ["NaN", "1e400", "-Infinity", "399998.5", '"399998"', "1" * 5000, "+1", "01"]
)
def test_an_amount_is_a_whole_number(
    client: FlaskClient, make_body: Body, count_assessments: Callable[[], int], replacement: str
) -> None:
    text = json.dumps(make_body()).replace("399998", replacement)

    assert_refused(client.post("/internal/assessments", data=text, content_type="application/json"))
    assert count_assessments() == 0


@pytest.mark.parametrize("number", ["1.0", "399998.000", "4e5"])
def test_a_whole_number_may_be_written_with_a_fraction_of_nothing(
    client: FlaskClient, make_body: Body, number: str
) -> None:
    """JSON Schema counts 1.0 as an integer, and so do we."""
    text = json.dumps(make_body()).replace("399998", number)

    answer = client.post("/internal/assessments", data=text, content_type="application/json")

    assert answer.status_code == 201


def test_a_key_twice_is_refused(
    client: FlaskClient, make_body: Body, count_assessments: Callable[[], int]
) -> None:
    text = json.dumps(make_body())[:-1] + ', "amount_minor": 1}'

    assert_refused(client.post("/internal/assessments", data=text, content_type="application/json"))
    assert count_assessments() == 0


def test_a_deep_body_is_refused(client: FlaskClient) -> None:
    text = "[" * 10_000 + "]" * 10_000

    assert_refused(client.post("/internal/assessments", data=text, content_type="application/json"))


def test_another_content_type_is_refused(
    client: FlaskClient, make_body: Body, count_assessments: Callable[[], int]
) -> None:
    text = json.dumps(make_body())

    assert_refused(client.post("/internal/assessments", data=text, content_type="text/plain"), 415)
    assert count_assessments() == 0


def test_an_oversized_body_is_refused(client: FlaskClient) -> None:
    text = b'{"attempt_id": "' + b"a" * 100_000 + b'"}'

    assert_refused(client.post("/internal/assessments", data=text, content_type="application/json"), 413)


def test_another_method_is_refused(client: FlaskClient) -> None:
    response = client.delete("/internal/assessments")

    assert_refused(response, 405)
    assert "POST" in response.headers["Allow"]


def test_any_other_text_is_kept_as_it_is(client: FlaskClient, make_body: Body) -> None:
    body = make_body(user_id="Zoë 💳 O'Brien\\", order_id=" ٣ ", client_ip="2001:DB8::1", amount_minor=10**15)

    response = client.post("/internal/assessments", json=body)
    explanation = client.get(f"/internal/assessments/{body['attempt_id']}").json

    assert response.status_code == 201
    assert explanation is not None
    assert explanation["request"] == body
