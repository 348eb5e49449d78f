"""Which headers pass the gateway, in both directions, and which it adds by itself."""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from http import HTTPStatus

from multidict import CIMultiDict, CIMultiDictProxy

from gateway.emulator.config import Config, SecurityHeaders

VERSION = "Version 2.13.8"
AGENT = f"KrakenD {VERSION}"
TEXT = "text/plain; charset=utf-8"
Header = tuple[str, str]
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")

# Where Go's words differ from Python's (or from those of a later Python).
_GO_PHRASES = {
    413: "Request Entity Too Large",
    414: "Request URI Too Long",
    416: "Requested Range Not Satisfiable",
    418: "I'm a teapot",
    422: "Unprocessable Entity",
}
_PHRASES = {status.value: status.phrase for status in HTTPStatus} | _GO_PHRASES


def reason_phrase(status: int) -> str:
    """Go's words for a status; the backend's own are never relayed."""
    return _PHRASES.get(status, f"status code {status}")


@lru_cache(maxsize=1024)
def canonical(name: str) -> str:
    """A header's name as Go writes it: `ETag` becomes `Etag`."""
    return "-".join(part.capitalize() for part in name.split("-"))


class MalformedHeader(ValueError):
    """A backend's header that Go refuses, and the answer with it."""


class OwnHeaders:
    def __init__(self, config: Config) -> None:
        self._krakend = ("X-Krakend", "Version undefined" if config.hides_version else VERSION)
        self._security: SecurityHeaders = config.security

    def security(self, request: Mapping[str, str]) -> list[Header]:
        """`security/http`; HSTS only when a proxy in front says that the client came over TLS."""
        came_over_tls = any(request.get(name) == value for name, value in self._security.tls_markers)
        return [*self._security.always, *(self._security.hsts if came_over_tls else ())]

    def marked(self, request: Mapping[str, str]) -> list[Header]:
        """Those, and the marks of everything but a rejection; Completed is false under no-op, even on 200."""
        return [*self.security(request), self._krakend, ("X-Krakend-Completed", "false")]


def request_headers(
    client: CIMultiDictProxy[str],
    allowed: Iterable[str],
    client_ip: str,
    *,
    content_types: Sequence[str],
    has_body: bool,
) -> CIMultiDict[str]:
    """What the backend gets: the listed headers (every value), and those that KrakenD always sends.

    A client's own X-Forwarded-For never passes: it is replaced by the address of the TCP peer.
    """
    headers: CIMultiDict[str] = CIMultiDict()
    for name in allowed:
        values = content_types if name.lower() == "content-type" else client.getall(name, ())
        headers.extend((canonical(name), value) for value in values)
    if not has_body:
        headers.popall("Content-Length", None)
    headers["X-Forwarded-For"] = client_ip
    headers["X-Forwarded-Host"] = client.get("Host", "")
    if "User-Agent" in headers:
        headers["X-Forwarded-Via"] = AGENT
    else:
        headers["User-Agent"] = AGENT
    headers.setdefault("Accept-Encoding", "gzip")
    return headers


def relayed_headers(
    backend: Iterable[tuple[bytes, bytes]], status: int, *, is_http_1_0: bool, unzipped: bool
) -> list[Header]:
    """The backend's headers as the client sees them: repeats kept, names re-cased, framing our own."""
    dropped = {"Transfer-Encoding", "Trailer"}
    if unzipped:
        dropped |= {"Content-Encoding", "Content-Length"}
    if status == HTTPStatus.NOT_MODIFIED:
        dropped.add("Content-Type")
    headers = []
    for raw_name, raw_value in backend:
        name, value = canonical(raw_name.decode("latin-1")), raw_value.decode("utf-8", "surrogateescape")
        if _CONTROL.search(value):
            raise MalformedHeader(name)
        closes = name == "Connection" and value.lower() == "close"
        if name not in dropped and (is_http_1_0 or not closes):
            headers.append((name, value))
    return headers
