"""Bad input: always a problem document with `error`, nothing stored, nobody called, nothing lost."""

import json
from collections.abc import Mapping, Sequence
from typing import NoReturn

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from payment_service.config import Config
from payment_service.models.movement import PaymentAttempt
from payment_service.models.payment import Payment, PaymentEvent

from tests.testkit.payments.client import Answer
from tests.testkit.payments.world import World, world_on

GOOD = {"user_id": 1, "order_id": 1, "total_amount": 10}
PATHS = ["/payments", "/payments/process/1"]
# What is refused before any database is asked.
SQLITE = pytest.mark.engines("sqlite")


def assert_refused(world: World, response: Answer, status: int) -> None:
    assert response.status_code == status
    assert response.content_type == "application/problem+json"
    document = response.json
    assert document["status"] == status
    assert document["error"]
    assert document["code"]
    assert document["request_id"] == response.headers["X-Request-Id"]
    assert len(world.all(Payment)) == 2
    assert len(world.all(PaymentEvent)) == 2
    assert world.all(PaymentAttempt) == []
    assert not world.fraud.requests
    assert not world.bank.sales


def post(world: World, path: str, body: bytes, content_type: str = "application/json") -> Answer:
    return world.client.post(path, data=body, content_type=content_type)


@SQLITE
def test_what_was_wrong_is_said_without_anything_that_is_hidden(world: World) -> None:
    """The redaction takes any 13 to 19 digits for a card number, those of a message too."""
    document = post(world, "/payments", b'{"user_id": 0, "order_id": 0, "total_amount": 0}').json

    assert "*" not in document["detail"]


@SQLITE
@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b"7",
        b'"text"',
        b"[" * 5000,
        b'{"a":' * 40 + b"1" + b"}" * 40,
        b'{"user_id":1,"user_id":2,"order_id":1,"total_amount":1,"cardNumber":1,"cardNumber":2}',
        b'{"user_id":1,"order_id":1,"total_amount":NaN,"cardCode":NaN}',
        b'{"user_id":1,"order_id":1,"total_amount":Infinity,"cardCode":-Infinity}',
        b'{"user_id":1,"order_id":1,"total_amount":1e400,"cardCode":1e400}',
        b'{"user_id":1,"order_id":1,"total_amount":1e999999999999,"cardCode":1e99999999999999999999}',
        b'{"user_id":1,"order_id":1,"total_amount":' + b"9" * 5000 + b"}",
        b'{"user_id":1,"order_id":"\\ud800","total_amount":1,"cardNumber":"\\ud800"}',
        b"\xff\xfe",
        b'{"user_id":"\x00"}',
        b"user_id=1&order_id=1",
    ],
    ids=lambda body: repr(body[:30]),
)
def test_what_is_no_object_of_strict_json_is_refused(world: World, path: str, body: bytes) -> None:
    assert_refused(world, post(world, path, body), 400)


WRONG_AMOUNTS: Sequence[object] = [
    *(0, -1, -59.5, 0.004, "0", "-5", "", "ten", "1e2", "1,5", "0x10", "NaN", "10\x00", " ", "\u0665"),
    *(True, None, [], {}, [5], "9" * 40, 10000000000, "1" * 60000),
]
WRONG_IDS: Sequence[object] = [
    *(0, -1, 1.5, "", "abc", "1.5", "1 1", "\x00", None, [], {}, False, 2**63, "9" * 40),
]


@SQLITE
@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("total_amount", wrong) for wrong in WRONG_AMOUNTS),
        *((field, wrong) for field in ("order_id", "user_id") for wrong in WRONG_IDS),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_a_wrong_value_is_refused_and_its_field_is_named(world: World, field: str, value: object) -> None:
    response = world.client.post("/payments", json={**GOOD, field: value})

    assert_refused(world, response, 400)
    assert list(response.json["errors"]) == [field]


@SQLITE
@pytest.mark.parametrize("field", list(GOOD))
def test_a_missing_field_is_named(world: World, field: str) -> None:
    response = world.client.post("/payments", json={k: v for k, v in GOOD.items() if k != field})

    assert_refused(world, response, 400)
    assert list(response.json["errors"]) == [field]


@SQLITE
@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/xml", "", "application/jsonx", "garbage"]
)
def test_a_wrong_content_type_is_a_bad_request_on_this_surface(
    world: World, path: str, content_type: str
) -> None:
    assert_refused(world, post(world, path, json.dumps(GOOD).encode(), content_type), 400)


@SQLITE
@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("content_type", ["application/json", "text/plain"])
def test_an_oversized_body_is_413(world: World, path: str, content_type: str) -> None:
    assert_refused(world, post(world, path, b" " * (64 * 1024 + 1), content_type), 413)


def test_the_largest_body_is_read(world: World) -> None:
    body = json.dumps(GOOD).encode()

    assert post(world, "/payments", body + b" " * (64 * 1024 - len(body))).status_code == 201


@SQLITE
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/payments"),
        ("PUT", "/payments"),
        ("DELETE", "/payments/1"),
        ("POST", "/payments/1"),
        ("PATCH", "/payments/process/1"),
        ("POST", "/"),
    ],
)
def test_a_wrong_method_says_which_ones_are_right(world: World, method: str, path: str) -> None:
    response = world.client.open(path, method=method, json=GOOD)

    assert_refused(world, response, 405)
    assert response.headers["Allow"]


@SQLITE
@pytest.mark.parametrize("path", ["/payments-api/payments/36", "/nothing", "/payments/1/2", "/internal/x"])
def test_what_is_not_there_is_404(world: World, path: str) -> None:
    assert_refused(world, world.client.post(path, json=GOOD), 404)


def raise_defect() -> NoReturn:
    raise KeyError(4111111111111111)


@SQLITE
def test_a_defect_is_a_problem_without_its_inside(config: Config, capsys: pytest.CaptureFixture[str]) -> None:
    with world_on(config, lambda app: app.add_url_rule("/defect", view_func=raise_defect)) as world:
        response = world.client.get("/defect")

    assert (response.status_code, response.json["code"]) == (500, "internal_error")
    assert "KeyError" not in response.text
    assert "4111111111111111" not in response.text + capsys.readouterr().out


JUNK = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=30)
    | st.sampled_from(
        ["1", "249.5", "4242424242424242", "2030-01", "123", 1, 10, 9999999999999, "\x00", "é"]
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def bodies(*names: str) -> st.SearchStrategy[bytes]:
    objects = st.fixed_dictionaries({}, optional=dict.fromkeys((*names, "other"), JUNK))
    as_json = st.one_of(objects, JUNK).map(lambda value: json.dumps(value).encode())
    cut = st.tuples(as_json, st.integers(0, 60)).map(lambda pair: pair[0][: pair[1]])
    return st.one_of(as_json, cut, st.binary(max_size=80))


CONTENT_TYPES = st.sampled_from(
    ["application/json", "application/json; charset=utf-8", "text/plain", "application/x-www-form-urlencoded"]
)
NO_DATABASE_PER_EXAMPLE = settings(
    max_examples=80,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def rows(world: World) -> Mapping[str, int]:
    return {model.__tablename__: len(world.all(model)) for model in (Payment, PaymentAttempt, PaymentEvent)}


def assert_answered(world: World, response: Answer, before: Mapping[str, int], good: set[int]) -> None:
    if response.status_code in good:
        return
    assert 400 <= response.status_code < 500
    assert response.content_type in {"application/problem+json", "text/html; charset=utf-8"}
    if response.content_type == "application/problem+json":
        assert response.json["error"]
    assert rows(world) == before


@SQLITE
@NO_DATABASE_PER_EXAMPLE
@given(body=bodies("user_id", "order_id", "total_amount"), content_type=CONTENT_TYPES)
@example(body=json.dumps(GOOD).encode(), content_type="application/json")
def test_junk_creates_a_payment_or_nothing(world: World, body: bytes, content_type: str) -> None:
    before = rows(world)

    response = post(world, "/payments", body, content_type)

    assert_answered(world, response, before, good={201})
    if response.status_code == 201:
        assert world.payment(response.json["payment_id"]).amount_minor > 0


@SQLITE
@NO_DATABASE_PER_EXAMPLE
@given(
    body=bodies("cardNumber", "cardCode", "expirationDate", "form_key"),
    content_type=CONTENT_TYPES,
    payment_id=st.sampled_from(["1", "2", "0", "None", "77", "-1", "a%00b", "9" * 40]) | st.text(min_size=1),
)
def test_junk_pays_or_changes_nothing(world: World, body: bytes, content_type: str, payment_id: str) -> None:
    before = rows(world)

    response = world.client.post(
        f"/payments/process/{payment_id.replace('?', '')}", data=body, content_type=content_type
    )

    assert_answered(world, response, before, good={200})


@pytest.mark.deep
@pytest.mark.timeout(1800)
@settings(parent=NO_DATABASE_PER_EXAMPLE, max_examples=1500)
@given(body=bodies("user_id", "order_id", "total_amount"), card=bodies("cardNumber", "cardCode"))
def test_much_junk_creates_and_pays_or_changes_nothing(world: World, body: bytes, card: bytes) -> None:
    before = rows(world)

    created = post(world, "/payments", body)
    assert_answered(world, created, before, good={201})
    between = rows(world)
    assert_answered(world, post(world, "/payments/process/1", card), between, good={200})


def test_a_refused_request_leaves_the_service_as_it_was(world: World) -> None:
    payment_id = world.create()
    post(world, f"/payments/process/{payment_id}", b"[" * 70000)
    post(world, f"/payments/process/{payment_id}", b"{")

    assert world.pay(payment_id).status_code == 200
    assert world.payment(payment_id).status == "completed"


@pytest.mark.engines("sqlite")
@pytest.mark.parametrize("amount", ["19,99", "1 000", "lots", None])
def test_an_amount_that_is_no_number_is_told_how_to_write_one(world: World, amount: object) -> None:
    answer = world.client.post("/payments", json={"user_id": 1, "order_id": 1, "total_amount": amount})

    assert answer.status_code == 400
    assert "total_amount" in answer.json["error"]
    assert "above 0" not in answer.json["error"]
