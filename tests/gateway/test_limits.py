"""The limit of orders: a number at once, then so many per minute, for each prefix; payments have none."""

import time
from collections.abc import Callable

import pytest

from tests.testkit.gateway.backend import RecordingBackend
from tests.testkit.gateway.process import RunningGateway, receive_until

ORDERS = "/store-manager-api/orders"
OTHER_ORDERS = "/store-api/orders"


def burst_until_refused(gateway: RunningGateway, path: str, at_most: int) -> int:
    """Post orders one after another until the first 503; how many passed."""
    for passed in range(at_most):
        answer = gateway.request("POST", path, b"{}", {"X-Forwarded-For": f"203.0.113.{passed % 250}"})
        if answer.status == 503:
            return passed
        assert answer.status == 200
    raise AssertionError(f"{at_most} orders passed")


def most_that_may_pass(gateway: RunningGateway, per_minute: int) -> int:
    """The capacity and what was earned since the start, or a second burst if that exceeds the capacity."""
    earned = int((time.monotonic() - gateway.started_at) * per_minute / 60) + 1
    return 2 * per_minute + 1 if earned > per_minute else per_minute + earned


@pytest.mark.parametrize("per_minute", [10, 50])
def test_so_many_orders_pass_at_once_and_the_next_is_refused(
    start_gateway: Callable[..., RunningGateway], store_manager: RecordingBackend, per_minute: int
) -> None:
    gateway = start_gateway(orders_per_minute=per_minute)

    passed = burst_until_refused(gateway, ORDERS, at_most=3 * per_minute)

    assert per_minute <= passed <= most_that_may_pass(gateway, per_minute)
    assert len(store_manager.requests) == passed


def test_a_refusal_is_an_empty_503_without_the_marks(
    start_gateway: Callable[..., RunningGateway], store_manager: RecordingBackend
) -> None:
    gateway = start_gateway(orders_per_minute=1)
    burst_until_refused(gateway, ORDERS, at_most=4)

    answer = gateway.request("POST", ORDERS, b"{}")

    assert (answer.status, answer.body) == (503, b"")
    assert answer.header("Content-Length") == "0"
    assert answer.header("Content-Type") is None
    assert answer.header("Retry-After") is None
    assert answer.header("X-Krakend") is None
    assert answer.header("X-Krakend-Completed") is None
    assert answer.header("X-Content-Type-Options") == "nosniff"
    assert all(seen.header("X-Forwarded-For") == "127.0.0.1" for seen in store_manager.requests)


def test_each_prefix_counts_for_itself_and_nothing_else_is_limited(
    start_gateway: Callable[..., RunningGateway],
    store_manager: RecordingBackend,
    payment_service: RecordingBackend,
) -> None:
    gateway = start_gateway(orders_per_minute=1)
    burst_until_refused(gateway, ORDERS, at_most=4)

    assert gateway.request("POST", OTHER_ORDERS, b"{}").status == 200
    for _ in range(5):
        assert gateway.request("PUT", ORDERS, b"{}").status == 200
        assert gateway.request("GET", f"{ORDERS}/1").status == 200
        assert gateway.request("POST", "/payments-api/payments", b"{}").status == 200
        assert gateway.request("POST", "/payments-api/payments/1", b"{}").status == 200
    assert len(payment_service.requests) == 10
    assert len(store_manager.requests) >= 12


def test_a_refused_body_leaves_the_connection_usable(start_gateway: Callable[..., RunningGateway]) -> None:
    gateway = start_gateway(orders_per_minute=1)
    burst_until_refused(gateway, ORDERS, at_most=4)
    order = (
        b"POST /store-manager-api/orders HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n" + b"x" * 1000
    )

    with gateway.connect() as connection:
        connection.sendall(order)
        refused = receive_until(connection, b"\r\n\r\n")
        connection.sendall(b"GET /__health HTTP/1.1\r\nHost: a\r\n\r\n")
        health = receive_until(connection, b"}")

    assert refused.startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
    assert health.startswith(b"HTTP/1.1 200 OK\r\n")
