"""Read a rendered krakend.json into what the emulator needs, and refuse everything else.

KrakenD ignores members it does not know; a stand-in must not, or a file could seem to work here and do
something else there. So each member is either read below or refused by name.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from gateway.emulator.members import Members, Refused

__all__ = ["Backend", "Config", "Endpoint", "RateLimit", "Refused", "SecurityHeaders", "read_config"]

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_HOST = re.compile(r"(https?://)?[A-Za-z0-9._-]+(:[0-9]{2,5})?/?")
_PARAM = re.compile(r"\{([A-Za-z0-9_-]+)\}")
_RESERVED = re.compile(r"/__(debug|echo|health)(/.*)?")


@dataclass(frozen=True)
class RateLimit:
    max_rate: float
    every_s: float
    capacity: int


@dataclass(frozen=True)
class Backend:
    host: str
    url_pattern: str
    method: str


@dataclass(frozen=True)
class Endpoint:
    path: str
    method: str
    timeout_s: float
    input_headers: tuple[str, ...]
    input_query_strings: tuple[str, ...]
    backend: Backend
    limit: RateLimit | None

    def forwards(self, header: str) -> bool:
        return any(header.lower() == listed.lower() for listed in self.input_headers)


@dataclass(frozen=True)
class SecurityHeaders:
    """`security/http`: headers for every answer, and HSTS for clients that came over TLS."""

    always: tuple[tuple[str, str], ...] = ()
    hsts: tuple[tuple[str, str], ...] = ()
    tls_markers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Config:
    """A whole file; times in seconds, 0 = none."""

    port: int
    listen_ip: str | None
    dialer_timeout_s: float
    idle_connection_timeout_s: float
    read_timeout_s: float
    read_header_timeout_s: float
    idle_timeout_s: float
    max_header_bytes: int
    max_shutdown_wait_s: float
    hides_version: bool
    unlogged_paths: frozenset[str]
    error_bodies: Mapping[int, bytes]
    security: SecurityHeaders
    endpoints: tuple[Endpoint, ...]


def read_config(path: Path) -> Config:
    """The file's meaning; raises Refused with the name of the first member the emulator cannot honour."""
    try:
        document = json.loads(path.read_text())
    except ValueError as exc:
        raise Refused("the file", f"is not JSON: {exc}") from exc
    root = Members(document, "")
    root.constant("version", 3)
    root.optional_text("name")
    default_timeout_s = root.duration("timeout", default="2s")
    extra = root.object("extra_config")
    router = extra.object("router")
    config = Config(
        port=root.integer("port", default=8080),
        listen_ip=_listen_ip(root),
        dialer_timeout_s=root.duration("dialer_timeout"),
        idle_connection_timeout_s=root.duration("idle_connection_timeout"),
        read_timeout_s=root.duration("read_timeout"),
        read_header_timeout_s=root.duration("read_header_timeout"),
        idle_timeout_s=root.duration("idle_timeout"),
        max_header_bytes=root.integer("max_header_bytes", default=1 << 20),
        max_shutdown_wait_s=root.duration("max_shutdown_wait_time"),
        hides_version=router.boolean("hide_version_header"),
        unlogged_paths=frozenset(router.texts("logger_skip_paths")),
        error_bodies=_error_bodies(router.object("error_body")),
        security=_security_headers(extra.object("security/http")),
        endpoints=tuple(_endpoint(members, default_timeout_s) for members in root.objects("endpoints")),
    )
    # KrakenD's defaults of these are not implemented here: each must be said.
    router.constant("return_error_msg", value=False)
    router.constant("forwarded_by_client_ip", value=False)
    router.constant("disable_redirect_fixed_path", value=True)
    router.constant("disable_redirect_trailing_slash", value=True)
    for members in (router, extra, root):
        members.refuse_the_rest()
    _refuse_twins(config.endpoints)
    _refuse_two_names(config.endpoints)
    return config


def _listen_ip(members: Members) -> str | None:
    text = members.optional_text("listen_ip")
    try:
        return str(ip_address(text)) if text else None
    except ValueError as exc:
        raise Refused(members.name_of("listen_ip"), f"{text} is no IP") from exc


def _error_bodies(members: Members) -> dict[int, bytes]:
    """The bodies as Go writes them: keys sorted, `<`, `>` and `&` escaped."""
    bodies = {}
    for status in (404, 405):
        document = members.optional_object(str(status))
        if document is not None:
            text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
            for character in "<>&":
                text = text.replace(character, f"\\u{ord(character):04x}")
            bodies[status] = text.encode()
    members.refuse_the_rest()
    return bodies


def _security_headers(members: Members) -> SecurityHeaders:
    always = []
    if members.boolean("frame_deny"):
        always.append(("X-Frame-Options", "DENY"))
    if members.boolean("content_type_nosniff"):
        always.append(("X-Content-Type-Options", "nosniff"))
    if policy := members.optional_text("referrer_policy"):
        always.append(("Referrer-Policy", policy))
    sts_seconds = members.integer("sts_seconds", default=0)
    hsts = (("Strict-Transport-Security", f"max-age={sts_seconds}"),) if sts_seconds else ()
    markers = members.optional_object("ssl_proxy_headers") or {}
    members.constant("ssl_redirect", value=False)
    members.refuse_the_rest()
    return SecurityHeaders(tuple(always), hsts, tuple((name, str(value)) for name, value in markers.items()))


def _endpoint(members: Members, default_timeout_s: float) -> Endpoint:
    path = members.text("endpoint")
    method = members.text("method").upper()
    if method not in METHODS:
        raise Refused(members.name_of("method"), f"{method} is not one of {', '.join(METHODS)}")
    _refuse_odd_path(members.name_of("endpoint"), path)
    members.constant("output_encoding", "no-op")
    backends = members.objects("backend")
    if len(backends) != 1:
        raise Refused(members.name_of("backend"), "no-op needs exactly one backend")
    extra = members.object("extra_config")
    limit = extra.object("qos/ratelimit/router")
    endpoint = Endpoint(
        path=path,
        method=method,
        timeout_s=members.duration("timeout") or default_timeout_s,
        input_headers=_input_headers(members),
        input_query_strings=_input_query_strings(members),
        backend=_backend(backends[0], method, set(_PARAM.findall(path))),
        limit=_rate_limit(limit) if limit.is_given else None,
    )
    for rest in (limit, extra, members):
        rest.refuse_the_rest()
    return endpoint


def _input_headers(members: Members) -> tuple[str, ...]:
    """The names that pass; an absent or empty list means Content-Type only."""
    headers = tuple(members.texts("input_headers"))
    if "*" in headers:
        raise Refused(members.name_of("input_headers"), "`*` is not implemented")
    return headers or ("Content-Type",)


def _input_query_strings(members: Members) -> tuple[str, ...]:
    """The parameters that pass, by their exact names, or `*`; absent means none."""
    names = tuple(members.texts("input_query_strings"))
    if "*" in names and len(names) > 1:
        raise Refused(members.name_of("input_query_strings"), "`*` beside names is not implemented")
    return names


def _backend(members: Members, method: str, params: set[str]) -> Backend:
    hosts = members.texts("host")
    if len(hosts) != 1 or _HOST.fullmatch(hosts[0]) is None:
        raise Refused(members.name_of("host"), "exactly one host without a path is implemented")
    members.constant("encoding", "no-op")
    pattern = members.text("url_pattern")
    if unknown := set(_PARAM.findall(pattern)) - params:
        raise Refused(members.name_of("url_pattern"), f"{sorted(unknown)} is not in the endpoint's path")
    if "?" in pattern:
        raise Refused(members.name_of("url_pattern"), "a query is not implemented")
    backend_method = (members.optional_text("method") or method).upper()
    members.refuse_the_rest()
    host = hosts[0].rstrip("/")
    return Backend(host if "://" in host else f"http://{host}", pattern, backend_method)


def _rate_limit(members: Members) -> RateLimit:
    limit = RateLimit(members.number("max_rate"), members.duration("every"), members.integer("capacity"))
    if limit.max_rate <= 0 or limit.every_s < 1 or limit.capacity < 1:
        raise Refused(
            members.name_of("max_rate"), "max_rate and capacity above 0 and every ≥ 1s are implemented"
        )
    return limit


def _refuse_odd_path(name: str, path: str) -> None:
    """Refuse what KrakenD refuses too, or takes for something else than it seems."""
    for segment in path.split("/")[1:]:
        if ("{" in segment or "}" in segment) and _PARAM.fullmatch(segment) is None:
            raise Refused(name, f"{path}: a {{param}} must be a whole segment")
    if not path.startswith("/") or ":" in path or "*" in path:
        raise Refused(name, f"{path}: must begin with / and hold neither : nor *")
    if _RESERVED.search(path):
        raise Refused(name, f"{path}: is reserved")


def _refuse_twins(endpoints: tuple[Endpoint, ...]) -> None:
    seen: set[tuple[str, str]] = set()
    for endpoint in endpoints:
        key = (endpoint.method, _PARAM.sub("{}", endpoint.path))
        if key in seen:
            raise Refused("endpoints", f"{endpoint.method} {endpoint.path} stands there twice")
        seen.add(key)


def _refuse_two_names(endpoints: tuple[Endpoint, ...]) -> None:
    """Refuse parameters that share a position and a method but not their name, as gin does."""
    names: dict[str, str] = {}
    for endpoint in endpoints:
        position = endpoint.method
        for segment in endpoint.path.split("/"):
            is_param = _PARAM.fullmatch(segment) is not None
            if is_param and names.setdefault(position, segment) != segment:
                raise Refused("endpoints", f"{endpoint.path}: {segment} is {names[position]} elsewhere")
            position = f"{position}/{'{}' if is_param else segment}"
