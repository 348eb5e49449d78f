"""The stand-in answers as Store Manager was observed to."""

from collections.abc import Iterator
from threading import Thread

import pytest
from flask import Flask, Response, request
from flask.testing import FlaskClient
from werkzeug.serving import make_server

from tests.stand_in_shop import Shop, create_app

ORDER = {"user_id": 1, "items": [{"product_id": 1, "quantity": 11}]}


@pytest.fixture
def bodies() -> list[bytes]:
    return []


@pytest.fixture
def gateway(bodies: list[bytes]) -> Iterator[str]:
    """Accepts every payment as number 3, and keeps what it was sent."""
    app = Flask("gateway")

    @app.post("/payments-api/payments")
    def create() -> Response:
        bodies.append(request.get_data())
        return Response('{"payment_id": 3}', 201, content_type="application/json")

    server = make_server("127.0.0.1", 0, app)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def shop(gateway: str) -> FlaskClient:
    return create_app(Shop(gateway)).test_client()


def test_an_order_asks_for_its_payment_with_python_s_own_float(
    shop: FlaskClient, bodies: list[bytes]
) -> None:
    answer = shop.post("/orders", json=ORDER)

    assert (answer.status_code, answer.json) == (201, {"order_id": 1})
    assert bodies == [b'{"user_id": 1, "order_id": 1, "total_amount": 21999.89}']


def test_an_order_is_shown_in_strings_and_is_paid_only_once_it_is(shop: FlaskClient) -> None:
    shop.post("/orders", json=ORDER)
    before = shop.get("/orders/1")
    updated = shop.put("/orders", json={"order_id": 1, "is_paid": True, "payment_id": 3})
    after = shop.get("/orders/1")

    link = "http://api-gateway:8080/payments-api/payments/process/3"
    shown = {"user_id": "1", "total_amount": "21999.89", "payment_link": link}
    assert (before.status_code, before.json) == (201, shown)
    assert (updated.status_code, updated.json) == (200, {"updated": True})
    assert after.json == {**shown, "is_paid": "True"}


@pytest.mark.parametrize("body", [{"order_id": 99, "is_paid": True}, {"order_id": 1, "is_paid": "true"}])
def test_what_cannot_be_updated_is_200_with_false(shop: FlaskClient, body: dict[str, object]) -> None:
    shop.post("/orders", json=ORDER)

    answer = shop.put("/orders", json=body)

    assert (answer.status_code, answer.json) == (200, {"updated": False})
    assert "is_paid" not in (shop.get("/orders/1").json or {})


def test_an_update_that_is_not_called_json_is_415(shop: FlaskClient) -> None:
    assert shop.put("/orders", data='{"order_id": 1}').status_code == 415


def test_an_unknown_order_is_an_empty_object(shop: FlaskClient) -> None:
    assert (shop.get("/orders/9").status_code, shop.get("/orders/9").json) == (201, {})


def test_without_a_payment_the_order_stands_with_link_0() -> None:
    shop = create_app(Shop("http://127.0.0.1:1")).test_client()

    assert shop.post("/orders", json=ORDER).status_code == 201
    assert (shop.get("/orders/1").json or {})["payment_link"].endswith("/process/0")
