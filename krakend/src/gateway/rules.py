"""Our own rules for every rendered file: the ones whose breach KrakenD accepts in silence."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from gateway.settings import duration_s

ROUTER_MUST_BE = {
    "return_error_msg": False,
    "hide_version_header": True,
    "forwarded_by_client_ip": False,
    "disable_redirect_fixed_path": True,
    "disable_redirect_trailing_slash": True,
}


def violations(config: dict[str, Any]) -> list[str]:
    """One sentence for each breach; an empty list for a file that may go out."""
    return [*_of_clients(config), *_of_router(config), *_of_endpoints(config)]


def _of_clients(config: dict[str, Any]) -> Iterator[str]:
    """Find waits for a client that would be for ever: nobody is answered before the body has arrived."""
    read_s, header_s, idle_s = (
        duration_s(config.get(member, "0s"))
        for member in ("read_timeout", "read_header_timeout", "idle_timeout")
    )
    if not (read_s and idle_s):
        yield "read_timeout and idle_timeout must be set"
    if not 0 < header_s <= read_s:
        yield "read_header_timeout must be set, and no longer than read_timeout"


def _of_router(config: dict[str, Any]) -> Iterator[str]:
    router = config.get("extra_config", {}).get("router", {})
    for member, value in ROUTER_MUST_BE.items():
        if router.get(member) is not value:
            yield f"extra_config.router.{member} must be {value}, explicitly"
    for status in ("404", "405"):
        if "error" not in router.get("error_body", {}).get(status, {}):
            yield f"extra_config.router.error_body.{status} must have a member `error`"


def _of_endpoints(config: dict[str, Any]) -> Iterator[str]:
    endpoints = config.get("endpoints", [])
    for (method, path), number in Counter((e.get("method"), e.get("endpoint")) for e in endpoints).items():
        if number > 1:
            yield f"{method} {path} stands there {number} times (KrakenD panics)"
    yield from _of_params(endpoints)
    for endpoint in endpoints:
        name = f"{endpoint.get('method')} {endpoint.get('endpoint')}"
        yield from (f"{name}: {breach}" for breach in _of_endpoint(endpoint))


def _of_params(endpoints: list[dict[str, Any]]) -> Iterator[str]:
    """Find parameters that share a position and a method but not their name: KrakenD panics at its start."""
    names: dict[str, str] = {}
    for endpoint in endpoints:
        position = str(endpoint.get("method"))
        for segment in str(endpoint.get("endpoint")).split("/"):
            is_param = segment.startswith("{")
            if is_param and names.setdefault(position, segment) != segment:
                yield f"{endpoint['endpoint']}: {segment} is {names[position]} elsewhere (KrakenD panics)"
            position = f"{position}/{'{}' if is_param else segment}"


def _of_endpoint(endpoint: dict[str, Any]) -> Iterator[str]:
    if endpoint.get("output_encoding") != "no-op":
        yield "output_encoding must be no-op, or every status but 200 and 201 becomes 500"
    if "method" not in endpoint:
        yield "the method must be said"
    yield from _of_lists(endpoint)
    backends = endpoint.get("backend", [])
    if len(backends) != 1:
        yield "no-op needs exactly one backend"
    for backend in backends:
        if backend.get("encoding") != "no-op":
            yield "the backend's encoding must be no-op"
        if backend.get("method") != endpoint.get("method"):
            yield "the backend's method must be the endpoint's"
        if str(backend.get("url_pattern")).startswith("/internal"):
            yield "internal paths are never rendered into the gateway"
    yield from _of_limit(endpoint.get("extra_config", {}).get("qos/ratelimit/router"))


def _of_lists(endpoint: dict[str, Any]) -> Iterator[str]:
    headers = {header.lower() for header in endpoint.get("input_headers", [])}
    if not {"content-type", "content-length"} <= headers:
        yield "input_headers must list Content-Type and Content-Length together"
    if "*" in headers:
        yield "input_headers must name each header"
    is_of_merchants = str(endpoint.get("endpoint")).startswith("/v1/")
    if endpoint.get("input_query_strings", []) != (["*"] if is_of_merchants else []):
        yield "input_query_strings must be * on /v1, where the service refuses the unknown, absent elsewhere"


def _of_limit(limit: dict[str, Any] | None) -> Iterator[str]:
    if limit is None:
        return
    for rate, capacity in (("max_rate", "capacity"), ("client_max_rate", "client_capacity")):
        if (rate in limit) != (capacity in limit):
            yield f"{rate} and {capacity} must be set together"
