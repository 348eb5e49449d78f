"""The part of Store Manager that payments meet: orders, their payment links and their updates.

As observed: POST calls the gateway while the order is not committed, without timeout or retry; PUT says
``{"updated": false}`` with 200 for what it cannot update; GET answers 201 with strings, ``{}`` if unknown.
"""

import threading
from dataclasses import dataclass, field
from typing import Any

import requests
from flask import Flask, Response, jsonify, request

# Binary floats on purpose: the shop multiplies and adds them as Python does.
PRICES = {1: 1999.99, 2: 59.5, 3: 5.75, 4: 299.75}


@dataclass
class Order:
    """A row of the shop."""

    order_id: int
    user_id: Any
    total_amount: float
    payment_link: str = ""
    is_paid: bool = False
    updates: int = 0


@dataclass
class Shop:
    """The shop's memory; tests may read it, and close it for a while by ``is_open``."""

    gateway_url: str
    is_open: bool = True
    orders: dict[int, Order] = field(default_factory=dict)
    _next_id: int = 1
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take_order(self, user_id: Any, items: list[dict[str, Any]]) -> Order:
        """Number the order, ask for its payment, and only then commit it."""
        total = sum(PRICES[int(item["product_id"])] * float(item["quantity"]) for item in items)
        with self._lock:
            order = Order(self._next_id, user_id, total)
            self._next_id += 1
        payment_id = self._request_payment(order)
        order.payment_link = f"http://api-gateway:8080/payments-api/payments/process/{payment_id}"
        with self._lock:
            self.orders[order.order_id] = order
        return order

    def update(self, body: dict[str, Any]) -> bool:
        """Mark an order paid; False when there is none, or when is_paid is no boolean."""
        with self._lock:
            order = self.orders.get(body.get("order_id", 0))
            if order is None or not isinstance(body.get("is_paid"), bool):
                return False
            order.is_paid = body["is_paid"]
            order.updates += 1
            return True

    def _request_payment(self, order: Order) -> Any:
        """Return what the shop puts into its link: 0 for whatever it does not understand, without a retry."""
        body = {"user_id": order.user_id, "order_id": order.order_id, "total_amount": order.total_amount}
        try:
            answer = requests.post(  # noqa: S113  no timeout: that is how the shop does it
                f"{self.gateway_url}/payments-api/payments",
                json=body,
                headers={"Content-Type": "application/json"},
            )
            return answer.json()["payment_id"] if answer.ok else 0
        except (requests.RequestException, KeyError, TypeError):
            return 0


def create_app(shop: Shop) -> Flask:
    """Return the shop's web application, without the gateway's prefix."""
    app = Flask("stand-in-shop")

    @app.before_request
    def closed() -> tuple[Response, int] | None:
        return None if shop.is_open else (jsonify(error="closed"), 500)

    @app.post("/orders")
    def create_order() -> tuple[Response, int]:
        body = request.get_json()
        return jsonify(order_id=shop.take_order(body["user_id"], body["items"]).order_id), 201

    @app.put("/orders")
    def update_order() -> Response:
        return jsonify(updated=shop.update(request.get_json()))

    @app.get("/orders/<int:order_id>")
    def show_order(order_id: int) -> tuple[Response, int]:
        order = shop.orders.get(order_id)
        return jsonify(_in_strings(order) if order else {}), 201

    return app


def _in_strings(order: Order) -> dict[str, str]:
    shown = {
        "user_id": str(order.user_id),
        "total_amount": str(order.total_amount),
        "payment_link": order.payment_link,
    }
    return {**shown, "is_paid": "True"} if order.is_paid else shown
