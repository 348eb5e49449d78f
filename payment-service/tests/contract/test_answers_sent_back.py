"""What /v1 answers, a client can send back; and every time in an answer has one form."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from payment_service.models.payment import PaymentEvent
from sqlalchemy import update

from tests.testkit.payments.access import A_PAYMENT, Shop, open_shop
from tests.testkit.payments.cards import V1_CARD
from tests.testkit.payments.webhooks import event_body, send, settle_inbox
from tests.testkit.payments.world import World

Described = Mapping[str, Any]
A_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T")
THE_FORM = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z")


@pytest.fixture
def shop(world: World) -> Shop:
    return open_shop(world)


@pytest.fixture
def description(world: World) -> Described:
    document: Described = world.client.get("/openapi.json").json
    return document


def resolved(description: Described, schema: Described) -> Described:
    if "$ref" not in schema:
        return schema
    *_, name = schema["$ref"].split("/")
    found: Described = description["components"]["schemas"][name]
    return resolved(description, found)


def is_nullable(schema: Described) -> bool:
    kinds = schema.get("type", [])
    return "null" in ([kinds] if isinstance(kinds, str) else kinds) or any(
        is_nullable(each) for each in (*schema.get("anyOf", ()), *schema.get("oneOf", ()))
    )


def content(description: Described, part: Described) -> Described:
    schema: Described = part["content"]["application/json"]["schema"]
    return resolved(description, schema)


def not_taken_back(description: Described, asked: Described, shown: Described, path: str) -> Iterator[str]:
    """Name the members that an answer may show as null, and the request does not take as null."""
    answers = shown.get("properties", {})
    for name, member in asked.get("properties", {}).items():
        if name not in answers:
            continue
        answer = answers[name]
        is_optional = name not in asked.get("required", ())
        if is_optional and is_nullable(answer) and not is_nullable(member):
            yield f"{path}.{name}"
        inner, inner_answer = resolved(description, member), resolved(description, answer)
        yield from not_taken_back(description, inner, inner_answer, f"{path}.{name}")


def test_what_an_answer_may_show_as_null_a_request_takes_as_null(description: Described) -> None:
    compared = 0
    found: list[str] = []
    for path, operations in description["paths"].items():
        post = operations.get("post", {})
        if not path.startswith("/v1/") or "requestBody" not in post:
            continue
        asked = content(description, post["requestBody"])
        for status, response in post["responses"].items():
            if status.startswith("2") and "content" in response:
                compared += 1
                found += not_taken_back(description, asked, content(description, response), f"POST {path}")

    assert compared >= 6
    assert found == []


def test_null_is_the_same_as_leaving_it_out(world: World, shop: Shop, description: Described) -> None:
    asked = content(description, description["paths"]["/v1/payments"]["post"]["requestBody"])
    nulls = {name: None for name, member in asked["properties"].items() if is_nullable(member)}
    customer = resolved(description, asked["properties"]["customer"])
    body = {"amount": 100, "currency": "MAD"}

    answer = shop.post(
        world, "/v1/payments", {**nulls, **body, "customer": dict.fromkeys(customer["properties"])}, key="k"
    )

    assert answer.status_code == 201, answer.text
    assert {"order_id", "description", "return_url"} <= set(nulls)
    assert answer.json["order_id"] is answer.json["customer"]["id"] is answer.json["description"] is None
    repeated = shop.post(world, "/v1/payments", body, key="k")
    assert (repeated.status_code, repeated.text) == (201, answer.text)


@pytest.mark.parametrize(
    "given",
    [
        {},
        {
            "order_id": "order-7",
            "description": "Two books",
            "return_url": "https://shop.example/back",
            "customer": {"id": "42", "name": "Zoé", "email": "zoe@example.com", "phone": "+212600000000"},
            "metadata": {"cart": "c_1"},
            "line_items": [{"name": "Book", "quantity": 2, "unit_amount": 50}],
        },
    ],
    ids=["as little as can be", "as much as can be"],
)
def test_a_client_can_send_back_what_it_read(
    world: World, shop: Shop, description: Described, given: dict[str, Any]
) -> None:
    asked = content(description, description["paths"]["/v1/payments"]["post"]["requestBody"])
    created = shop.post(world, "/v1/payments", {"amount": 100, "currency": "MAD", **given}).json
    read = shop.get(world, f"/v1/payments/{created['id']}").json

    again = shop.post(
        world, "/v1/payments", {name: read[name] for name in asked["properties"] if name in read}
    )

    assert again.status_code == 201, again.text
    own = {"id", "checkout_url", "created_at", "expires_at"}
    assert {name: value for name, value in again.json.items() if name not in own} == {
        name: value for name, value in read.items() if name not in own
    }


def times_in(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from times_in(item)
    elif isinstance(value, str) and A_TIME.match(value):
        yield value


def play(world: World, shop: Shop) -> str:
    """Pay, give back, let the rest be disputed, store a card; return the payment's id."""
    payment: str = shop.pay(world).json["id"]
    assert shop.post(world, "/v1/refunds", {"payment": payment, "amount": 1}).status_code == 201
    attempt = world.attempts(world.payment_by(payment).id)[0].public_id
    data = {"dispute_id": "dsp_1", "original_request_id": attempt, "amount_minor": 1, "currency": "MAD"}
    send(world, "evt_1", event_body("dispute.lost", **data))
    settle_inbox(world)
    stored = shop.post(world, "/v1/payment-methods", {"card": dict(V1_CARD)}).json["id"]
    assert shop.post(world, f"/v1/payment-methods/{stored}/detach").status_code == 200
    assert shop.create(world, **A_PAYMENT).status_code == 201
    return payment


def test_every_time_in_an_answer_has_one_form(world: World, shop: Shop, description: Described) -> None:
    payment = play(world, shop)
    found: list[str] = []

    lists = [
        path
        for path, operations in description["paths"].items()
        if path.startswith("/v1/") and "get" in operations and path.count("{") == 0
    ]
    for path in [*lists, f"/v1/payments/{payment}", f"/v1/payments/{payment}/events"]:
        answer = shop.get(world, path)
        assert answer.status_code == 200, answer.text
        times = list(times_in(answer.json))
        assert times or path in {"/v1/balance", "/v1/payment-methods"}, path
        found += times

    assert [time for time in found if not THE_FORM.fullmatch(time)] == []


@pytest.mark.forged_events
def test_an_event_that_was_sealed_in_the_old_form_keeps_its_bytes_and_is_shown_like_the_others(
    world: World, shop: Shop
) -> None:
    payment = shop.create(world).json["id"]
    (event,) = world.all(PaymentEvent, payment_id=world.payment_by(payment).id)
    body = event.body.replace('Z"', '+00:00"')
    assert body != event.body
    world.change(lambda session: session.execute(update(PaymentEvent).values(body=body)) and None)

    for path in ("/v1/events", f"/v1/payments/{payment}/events"):
        (shown,) = shop.get(world, path).json["data"]
        assert shown["at"] == json.loads(event.body)["at"]
        assert THE_FORM.fullmatch(shown["at"])
    assert world.all(PaymentEvent)[0].body == body
