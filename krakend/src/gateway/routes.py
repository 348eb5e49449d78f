"""The one description of what the gateway lets through: pure data, no settings and no rendering.

A new route is one more line here; `python -m gateway render` does the rest.
"""

from dataclasses import dataclass
from enum import Enum


class Backend(Enum):
    PAYMENT_SERVICE = "payment-service"
    STORE_MANAGER = "store-manager"


class Timeout(Enum):
    """How long the gateway waits for a route's answer; how many seconds that is, is a setting."""

    ORDINARY = "ordinary"
    PROVIDER = "provider"  # it may wait for a bank
    SLOW_TEST = "slow-test"  # Store Manager's own time-out exercise


class Limit(Enum):
    """A rate limit that several routes have; every route (and every gateway) counts for itself."""

    ORDERS = "orders"


@dataclass(frozen=True)
class Route:
    method: str
    path: str
    backend: Backend
    backend_path: str
    timeout: Timeout = Timeout.ORDINARY
    limit: Limit | None = None
    headers: tuple[str, ...] = ()  # that pass besides those of INPUT_HEADERS
    passes_query: bool = False  # every parameter does, so that the service can refuse what it does not know


# What a request may carry through the gateway. KrakenD forwards nothing else (it adds Host, X-Forwarded-For,
# X-Forwarded-Host and Accept-Encoding by itself). Without Content-Length a body would go on as chunks.
INPUT_HEADERS = (
    "Accept",
    "Accept-Language",
    "Content-Length",
    "Content-Type",
    "Traceparent",
    "Tracestate",
    "User-Agent",
)

# Only where they are read: the lab's routes ignore them, and what is not sent cannot leak.
AUTHORIZED = ("Authorization",)
IDEMPOTENT = (*AUTHORIZED, "Idempotency-Key")
SIGNED = ("Webhook-Id", "Webhook-Timestamp", "Webhook-Signature")

# Lab 5 of 2026 and lab 6 use the first, lab 5 of 2025 (and its load tests) the second.
STORE_PREFIXES = ("/store-manager-api", "/store-api")


def _payment_routes() -> tuple[Route, ...]:
    def route(method: str, path: str, backend_path: str, timeout: Timeout = Timeout.ORDINARY) -> Route:
        return Route(method, f"/payments-api{path}", Backend.PAYMENT_SERVICE, backend_path, timeout)

    return (
        route("POST", "/payments", "/payments"),
        route("GET", "/payments/{id}", "/payments/{id}"),
        # The collections post the card here; it is the same use case as the link below.
        route("POST", "/payments/{id}", "/payments/process/{id}", Timeout.PROVIDER),
        # The link that Store Manager makes for each order: GET shows the payment page, POST pays.
        route("GET", "/payments/process/{id}", "/payments/process/{id}"),
        route("POST", "/payments/process/{id}", "/payments/process/{id}", Timeout.PROVIDER),
    )


def _merchant_routes() -> tuple[Route, ...]:
    """What merchants' servers call, under the service's own paths; tokens are checked by the service."""

    def route(method: str, path: str, headers: tuple[str, ...] = ()) -> Route:
        return Route(method, path, Backend.PAYMENT_SERVICE, path, headers=headers)

    def show(path: str) -> Route:
        return Route("GET", path, Backend.PAYMENT_SERVICE, path, headers=AUTHORIZED, passes_query=True)

    def change(path: str, timeout: Timeout = Timeout.PROVIDER) -> Route:
        return Route(
            "POST", path, Backend.PAYMENT_SERVICE, path, timeout, headers=IDEMPOTENT, passes_query=True
        )

    return (
        route("POST", "/oauth2/token", AUTHORIZED),
        route("GET", "/.well-known/jwks.json"),
        show("/v1/merchant"),
        change("/v1/payments"),
        show("/v1/payments"),
        show("/v1/payments/{id}"),
        show("/v1/payments/{id}/events"),
        change("/v1/payments/{id}/confirm"),
        change("/v1/payments/{id}/capture"),
        change("/v1/payments/{id}/cancel"),
        change("/v1/payments/{id}/approve"),
        change("/v1/payments/{id}/reject"),
        change("/v1/refunds"),
        show("/v1/refunds"),
        show("/v1/refunds/{id}"),
        change("/v1/payment-methods", Timeout.ORDINARY),
        show("/v1/payment-methods"),
        show("/v1/payment-methods/{id}"),
        change("/v1/payment-methods/{id}/detach", Timeout.ORDINARY),
        show("/v1/disputes"),
        show("/v1/disputes/{id}"),
        show("/v1/balance"),
        show("/v1/balance/entries"),
        show("/v1/events"),
    )


def _checkout_routes() -> tuple[Route, ...]:
    """What a person paying opens; who holds the link may use it."""

    def route(method: str, path: str, timeout: Timeout) -> Route:
        return Route(method, path, Backend.PAYMENT_SERVICE, path, timeout)

    return (
        route("GET", "/checkout/{token}", Timeout.ORDINARY),
        route("POST", "/checkout/{token}", Timeout.PROVIDER),
        # Back from the bank's own page: the provider is asked how it went.
        route("GET", "/checkout/3ds/{token}", Timeout.PROVIDER),
        route("POST", "/checkout/3ds/{token}", Timeout.PROVIDER),
    )


def _webhook_routes() -> tuple[Route, ...]:
    """What providers call; the signature is checked by the service."""
    path = "/provider-webhooks/bank-simulator"
    return (Route("POST", path, Backend.PAYMENT_SERVICE, path, headers=SIGNED),)


def _store_routes(prefix: str) -> tuple[Route, ...]:
    def route(
        method: str, path: str, timeout: Timeout = Timeout.ORDINARY, limit: Limit | None = None
    ) -> Route:
        return Route(method, f"{prefix}{path}", Backend.STORE_MANAGER, path, timeout, limit)

    return (
        route("POST", "/orders", limit=Limit.ORDERS),
        route("PUT", "/orders"),
        route("GET", "/orders/{id}"),
        route("DELETE", "/orders/{id}"),
        route("PUT", "/stocks"),
        route("POST", "/stocks"),
        route("POST", "/users"),
        route("GET", "/users/{id}"),
        route("DELETE", "/users/{id}"),
        route("GET", "/test/slow/{seconds}", timeout=Timeout.SLOW_TEST),
    )


ROUTES: tuple[Route, ...] = (
    *_payment_routes(),
    *(route for prefix in STORE_PREFIXES for route in _store_routes(prefix)),
    *_merchant_routes(),
    *_checkout_routes(),
    *_webhook_routes(),
)
