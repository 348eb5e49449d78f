"""The one description of what the gateway lets through: pure data, no settings and no rendering.

A new route is one more line here; `python -m gateway render` does the rest.
"""

from dataclasses import dataclass
from enum import Enum


class Backend(Enum):
    """A service behind the gateway."""

    PAYMENT_SERVICE = "payment-service"
    STORE_MANAGER = "store-manager"


class Patience(Enum):
    """How long the gateway waits for a route's answer; how many seconds that is, is a setting."""

    ORDINARY = "ordinary"
    PROVIDER = "provider"  # processing a payment may wait for a bank
    SLOW_TEST = "slow-test"  # Store Manager's own time-out exercise


class Limit(Enum):
    """A rate limit that several routes have; every route (and every gateway) counts for itself."""

    ORDERS = "orders"


@dataclass(frozen=True)
class Route:
    """One method on one path of the gateway, and where it leads."""

    method: str
    path: str
    backend: Backend
    backend_path: str
    patience: Patience = Patience.ORDINARY
    limit: Limit | None = None
    headers: tuple[str, ...] = ()  # that pass besides those of INPUT_HEADERS


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

# Only where it is read: the lab's routes ignore it, and what is not sent cannot leak.
AUTHORIZED = ("Authorization",)

# Lab 5 of 2026 and lab 6 use the first, lab 5 of 2025 (and its load tests) the second.
STORE_PREFIXES = ("/store-manager-api", "/store-api")


def _payment_routes() -> tuple[Route, ...]:
    def route(method: str, path: str, backend_path: str, patience: Patience = Patience.ORDINARY) -> Route:
        return Route(method, f"/payments-api{path}", Backend.PAYMENT_SERVICE, backend_path, patience)

    return (
        route("POST", "/payments", "/payments"),
        route("GET", "/payments/{id}", "/payments/{id}"),
        # The collections post the card here; it is the same use case as the link below.
        route("POST", "/payments/{id}", "/payments/process/{id}", Patience.PROVIDER),
        # The link that Store Manager makes for each order: GET shows the payment page, POST pays.
        route("GET", "/payments/process/{id}", "/payments/process/{id}"),
        route("POST", "/payments/process/{id}", "/payments/process/{id}", Patience.PROVIDER),
    )


def _merchant_routes() -> tuple[Route, ...]:
    """What merchants' servers call, under the service's own paths; tokens are checked by the service."""

    def route(method: str, path: str, headers: tuple[str, ...] = ()) -> Route:
        return Route(method, path, Backend.PAYMENT_SERVICE, path, headers=headers)

    return (
        route("POST", "/oauth2/token", AUTHORIZED),
        route("GET", "/.well-known/jwks.json"),
        route("GET", "/v1/merchant", AUTHORIZED),
    )


def _store_routes(prefix: str) -> tuple[Route, ...]:
    def route(
        method: str, path: str, patience: Patience = Patience.ORDINARY, limit: Limit | None = None
    ) -> Route:
        return Route(method, f"{prefix}{path}", Backend.STORE_MANAGER, path, patience, limit)

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
        route("GET", "/test/slow/{seconds}", patience=Patience.SLOW_TEST),
    )


ROUTES: tuple[Route, ...] = (
    *_payment_routes(),
    *(route for prefix in STORE_PREFIXES for route in _store_routes(prefix)),
    *_merchant_routes(),
)
