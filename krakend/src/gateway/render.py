"""Turn routes and settings into the plain krakend.json that KrakenD (or the emulator) serves."""

import json
from typing import Any

from gateway.routes import INPUT_HEADERS, ROUTES, Backend, Limit, Route, Timeout
from gateway.settings import Settings

_A_YEAR_S = 31_536_000


def render(settings: Settings) -> dict[str, Any]:
    return {
        "$schema": "https://www.krakend.io/schema/v2.13/krakend.json",
        "@comment": "Rendered by `python -m gateway render` from krakend/src/gateway/routes.py; do not edit.",
        "version": 3,
        "name": "caisse",
        "port": settings.port,
        **({"listen_ip": settings.listen_ip} if settings.listen_ip else {}),
        "timeout": settings.timeout,
        "dialer_timeout": "500ms",
        # Shorter than the services keep an idle connection (gunicorn's keepalive): a POST is never repeated,
        # so one sent on a connection that the service has just closed would be a 500.
        "idle_connection_timeout": "30s",
        # Until they pass, whoever stops in the middle of a head or body holds its connection: no answer goes
        # out before a body has arrived. 4 s carry 64 KiB, the largest body that we accept, at 128 kbit/s, and
        # are less than a route's own time, which a slow client would otherwise use up at a service's cost.
        # They bound reading only: a request that has arrived may be answered later.
        "read_header_timeout": "2s",
        "read_timeout": "4s",
        # Longer than load balancers in front keep an idle connection (60 s as a rule), for the reason above.
        "idle_timeout": "75s",
        "max_header_bytes": 16384,
        "max_shutdown_wait_time": "20s",
        "extra_config": {"router": _router(), "security/http": _security_headers()},
        "endpoints": [_endpoint(route, settings) for route in ROUTES],
    }


def render_text(settings: Settings) -> str:
    return json.dumps(render(settings), indent=2) + "\n"


def _router() -> dict[str, Any]:
    return {
        "return_error_msg": False,  # the text would show the backends' addresses
        "hide_version_header": True,
        "forwarded_by_client_ip": False,  # its default trusts everybody's X-Forwarded-For
        "disable_redirect_fixed_path": True,  # only both together stop the redirects
        "disable_redirect_trailing_slash": True,
        "logger_skip_paths": ["/__health"],
        "error_body": {
            "404": _problem(404, "Not Found", "The gateway knows no such path."),
            "405": _problem(405, "Method Not Allowed", "This path has no such method."),
        },
    }


def _problem(status: int, title: str, detail: str) -> dict[str, Any]:
    """An RFC 9457 document, with `error` for older clients (KrakenD sends it as application/json)."""
    return {"type": "about:blank", "title": title, "status": status, "detail": detail, "error": detail}


def _security_headers() -> dict[str, Any]:
    """The response headers that the gateway owns; CSP and caching are the services' own."""
    return {
        "content_type_nosniff": True,
        "frame_deny": True,
        "referrer_policy": "same-origin",
        # Sent only to a client that came over TLS, which ends at a proxy in front of the gateway.
        "sts_seconds": _A_YEAR_S,
        "ssl_proxy_headers": {"X-Forwarded-Proto": "https"},
        "ssl_redirect": False,
    }


def _endpoint(route: Route, settings: Settings) -> dict[str, Any]:
    """One endpoint, `no-op` so that status, headers and body stay the service's own."""
    endpoint: dict[str, Any] = {
        "endpoint": route.path,
        "method": route.method,
        "output_encoding": "no-op",
        "timeout": _timeout(route.timeout, settings),
        "input_headers": sorted((*INPUT_HEADERS, *route.headers)),
        **({"input_query_strings": ["*"]} if route.passes_query else {}),
        "backend": [
            {
                "host": [_host(route.backend, settings)],
                "url_pattern": route.backend_path,
                "method": route.method,
                "encoding": "no-op",
            }
        ],
    }
    if route.limit is Limit.ORDERS:
        endpoint["extra_config"] = {"qos/ratelimit/router": _per_minute(settings.orders_per_minute)}
    return endpoint


def _per_minute(number: int) -> dict[str, Any]:
    """So many requests per minute, all at once if need be.

    Without `capacity` KrakenD would take the rate per second rounded down, at least 1: one order in six
    seconds for 10 a minute.
    """
    return {"max_rate": number, "every": "1m", "capacity": number}


def _timeout(timeout: Timeout, settings: Settings) -> str:
    return {
        Timeout.ORDINARY: settings.timeout,
        Timeout.PROVIDER: settings.provider_timeout,
        Timeout.SLOW_TEST: settings.slow_timeout,
    }[timeout]


def _host(backend: Backend, settings: Settings) -> str:
    return {
        Backend.PAYMENT_SERVICE: settings.payment_service,
        Backend.STORE_MANAGER: settings.store_manager,
    }[backend]
