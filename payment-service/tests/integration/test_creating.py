"""POST and GET /payments as Store Manager, saga orchestrators and collections use them."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from payment_service.config import Config
from payment_service.models.payment import Payment
from payment_service.values.statuses import PaymentStatus
from service_kit.db import migrations
from service_kit.process.config import Profile

from tests.testkit.payments.config import make_config
from tests.testkit.payments.world import World, world_on


def test_a_fresh_database_holds_two_payments_and_the_first_new_one_is_3(database_url: str) -> None:
    config = make_config(database_url)
    migrations.upgrade(database_url, config.migrations_dir)
    with world_on(config) as world:
        first, second = (world.client.get(f"/payments/{number}").json for number in (1, 2))
        new = world.create()

    assert (first["id"], first["order_id"], first["user_id"], first["total_amount"]) == (
        1,
        1,
        1,
        Decimal("1999.99"),
    )
    assert (second["id"], second["order_id"], second["user_id"], second["total_amount"]) == (
        2,
        2,
        2,
        Decimal("59.50"),
    )
    assert first["is_paid"] is second["is_paid"] is False
    assert new == 3


@pytest.mark.parametrize(
    ("sent", "minor"),
    [
        (b"3999.98", 399998),
        (b"575.0", 57500),
        (b"59.5", 5950),
        (b"21999.890000000003", 2199989),
        (b"8397.970000000001", 839797),
        (b"1.9147500000000002", 191),
        (b"9999950000.0", 999995000000),
        (b"9999999999.99", 999999999999),
        (b"2.875", 288),
        (b"2.865", 287),
        (b"0.005", 1),
        (b"1", 100),
        (b"1e2", 10000),
        (b'"249.5"', 24950),
        (b'"2.875"', 288),
        (b'" 10 "', 1000),
    ],
)
def test_an_amount_is_stored_as_the_exact_decimal_of_the_shops_own_row(
    world: World, sent: bytes, minor: int
) -> None:
    response = world.client.post(
        "/payments",
        data=b'{"user_id": 1, "order_id": 1, "total_amount": ' + sent + b"}",
        content_type="application/json",
    )

    assert response.status_code == 201
    payment = world.payment(response.json["payment_id"])
    assert (payment.amount_minor, payment.currency) == (minor, "MAD")
    shown = world.client.get(f"/payments/{payment.id}")
    assert f'"total_amount":{Decimal(minor) / 100:.2f}' in shown.text


@pytest.mark.parametrize(("sent", "stored"), [(1, "1"), ("1", "1"), (1.0, "1"), (True, "1"), ("42", "42")])
@pytest.mark.parametrize("field", ["user_id", "order_id"])
def test_ids_come_in_every_form_that_was_seen(world: World, field: str, sent: object, stored: str) -> None:
    payment_id = world.create(**{field: sent})

    assert getattr(world.payment(payment_id), field) == stored
    assert world.client.get(f"/payments/{payment_id}").json[field] == int(stored)


def test_the_answer_is_what_store_manager_reads(world: World) -> None:
    response = world.client.post("/payments", json={"user_id": 1, "order_id": 1, "total_amount": 10})

    assert response.status_code == 201
    assert list(response.json) == ["payment_id"]
    assert type(response.json["payment_id"]) is int


def test_a_payment_is_shown_with_the_references_members(world: World) -> None:
    payment_id = world.create(3999.98, order_id=7, user_id=5)
    before = world.client.get(f"/payments/{payment_id}")
    world.pay(payment_id)
    after = world.client.get(f"/payments/{payment_id}")

    assert before.json == {
        "id": payment_id,
        "order_id": 7,
        "user_id": 5,
        "total_amount": Decimal("3999.98"),
        "currency": "MAD",
        "is_paid": False,
        "status": "pending",
    }
    assert (after.json["is_paid"], after.json["status"]) == (True, "completed")


def test_the_same_order_again_is_another_payment_even_when_the_first_is_paid(world: World) -> None:
    first = world.create(order_id=1)
    world.pay(first)

    second = world.create(order_id=1)

    assert second != first
    assert world.pay(second).status_code == 200
    assert len(world.bank.sales) == 2


def test_create_calls_nobody_and_writes_its_event(world: World) -> None:
    payment_id = world.create()

    assert not world.fraud.requests
    assert not world.bank.sales
    assert world.messages() == []
    assert world.events(payment_id) == ["payment.created"]
    assert world.payment(payment_id).status == PaymentStatus.PENDING


def test_a_payment_of_another_surface_is_not_shown_here(world: World) -> None:
    payment_id = world.create()

    def move(session: Any) -> None:
        session.get_one(Payment, payment_id).surface = "v1"

    world.change(move)

    assert world.client.get(f"/payments/{payment_id}").status_code == 404
    assert world.client.get(f"/payments/process/{payment_id}").status_code == 404
    assert world.pay(payment_id).status_code == 404
    assert world.bank.sales == []


@pytest.mark.parametrize("path", ["/", "//"])
def test_the_collections_look_for_the_service_with_a_body(world: World, path: str) -> None:
    body = {"user_id": 1, "order_id": 1, "total_amount": 1}
    response = world.client.get("/", json=body, environ_overrides={"PATH_INFO": path})

    assert response.status_code == 200
    assert response.json == {"service": "PaymentMicroservice", "status": "running"}


@pytest.mark.parametrize("path", ["/payments//1", "/payments/1/", "/payments/process//1", "/payments/"])
def test_no_address_is_redirected(world: World, path: str) -> None:
    assert world.client.get(path).status_code == 404


def test_a_production_service_has_no_lab_surface(config: Config) -> None:
    with world_on(replace(config, profile=Profile.PRODUCTION)) as world:
        assert world.client.post("/payments", json={}).status_code == 404
        assert world.client.get("/payments/1").status_code == 404
        assert world.client.get("/payments/process/1").status_code == 404
        assert world.client.get("/health/ready").status_code == 200
