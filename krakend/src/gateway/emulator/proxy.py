"""Answer one request as KrakenD would: route it, limit it, pass it on, relay what comes back."""

import asyncio
import json
import zlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime

import aiohttp
from aiohttp import web

from gateway.emulator.backend import BackendClient, Call
from gateway.emulator.config import Config, Endpoint
from gateway.emulator.headers import TEXT, Header, OwnHeaders, relayed_headers, request_headers
from gateway.emulator.rate_limit import TokenBucket
from gateway.emulator.relay import Relay, WireResponse
from gateway.emulator.router import (
    MalformedPath,
    Router,
    UnusableParam,
    backend_path,
    check_params,
    decode_path,
    forwarded_query,
)

HEALTH = "/__health"
_JSON = "application/json; charset=utf-8"
_GO_DRAIN_LIMIT = 256 << 10
_GO_HEAD_SLACK = 4096
_GO_HANG_UP_S = 0.5
_DEFAULT_BODIES = {404: b"404 page not found", 405: b"405 method not allowed"}


@dataclass(frozen=True)
class _Target:
    endpoint: Endpoint | None
    bucket: TokenBucket | None = None


class Proxy:
    def __init__(self, config: Config, client: BackendClient) -> None:
        self._config = config
        self._client = client
        self._own = OwnHeaders(config)
        self._head_limit = config.max_header_bytes + _GO_HEAD_SLACK
        self._router = Router(
            [
                ("GET", HEALTH, _Target(None)),
                *((endpoint.method, endpoint.path, _target(endpoint)) for endpoint in config.endpoints),
            ]
        )

    async def handle(self, request: web.BaseRequest) -> WireResponse:
        if _head_size(request) > self._head_limit:
            return await _refused_by_server(request, 431, "431 Request Header Fields Too Large")
        try:
            path = decode_path(request.raw_path)
        except MalformedPath:
            return await _refused_by_server(request, 400, "400 Bad Request")
        return await self._route(request, path)

    async def _route(self, request: web.BaseRequest, path: str) -> WireResponse:
        found = self._router.find(request.method, path)
        if found is None:
            return await self._not_routed(request, self._router.allowed_methods(path))
        target, params = found
        if target.endpoint is None:
            return await _health(request)
        try:
            check_params(params)
        except UnusableParam as exc:
            return await _whole(request, 400, [("Content-Type", TEXT)], str(exc).encode())
        if target.bucket is not None and not target.bucket.admit():
            return await _rejected(request, 503, self._own.security(request.headers))
        return await self._forward(request, target.endpoint, params)

    async def _not_routed(self, request: web.BaseRequest, allowed: list[str]) -> WireResponse:
        status = 405 if allowed else 404
        headers = self._own.marked(request.headers)
        if allowed:
            headers.append(("Allow", ", ".join(allowed)))
        custom = self._config.error_bodies.get(status)
        headers.append(("Content-Type", "text/plain" if custom is None else _JSON))
        return await _rejected(
            request, status, headers, _DEFAULT_BODIES[status] if custom is None else custom
        )

    async def _forward(
        self, request: web.BaseRequest, endpoint: Endpoint, params: dict[str, str]
    ) -> WireResponse:
        """Ask the backend within the endpoint's time; every failure before its headers is an empty 500."""
        path = backend_path(endpoint.backend.url_pattern, params)
        if path is None:
            return await _rejected(request, 500, self._own.marked(request.headers))
        query = forwarded_query(request.raw_path, endpoint.input_query_strings)
        body = _Body(request)
        call = Call(
            method=endpoint.backend.method,
            url=endpoint.backend.host + path + query,
            headers=request_headers(
                request.headers, endpoint.input_headers, request.remote or "", has_body=request.body_exists
            ),
            body=body.stream if request.body_exists else None,
        )
        relay: Relay | None = None
        cut = False
        try:
            async with asyncio.timeout(endpoint.timeout_s):
                backend = await self._client.send(call)
                try:
                    relay = self._begin_answer(request, endpoint, backend)
                    await relay.copy(backend)
                finally:
                    backend.close()
        except (aiohttp.ClientError, OSError, TimeoutError, zlib.error):
            cut = True
        if relay is None:
            return await _rejected(request, 500, self._own.marked(request.headers), close=body.is_refused)
        return await relay.finish(cut=cut)

    def _begin_answer(
        self, request: web.BaseRequest, endpoint: Endpoint, backend: aiohttp.ClientResponse
    ) -> Relay:
        """The head of the answer; a body that only the gateway asked to be zipped is unzipped on its way."""
        client_asked = "Accept-Encoding" in request.headers and endpoint.forwards("Accept-Encoding")
        unzip = not client_asked and backend.headers.get("Content-Encoding", "").lower() == "gzip"
        is_http_1_0 = backend.version == aiohttp.HttpVersion10
        headers = relayed_headers(
            backend.raw_headers, backend.status, is_http_1_0=is_http_1_0, unzipped=unzip
        )
        answer = WireResponse(backend.status, [*self._own.marked(request.headers), *headers])
        if ("Connection", "close") in headers:
            answer.force_close()
        return Relay(request, answer, unzip=unzip)


class _Body:
    """A client's body; `100 Continue` is said when the backend's connection stands and the body is wanted."""

    def __init__(self, request: web.BaseRequest) -> None:
        self._request = request
        self._waits = request.headers.get("Expect", "").lower() == "100-continue"

    @property
    def is_refused(self) -> bool:
        """Whether the client still waits for a permission that it will not get."""
        return self._waits

    async def stream(self) -> AsyncIterator[bytes]:
        if self._waits:
            self._waits = False
            await self._request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            self._request.writer.output_size = 0
        async for chunk in self._request.content.iter_any():
            yield chunk


def _target(endpoint: Endpoint) -> _Target:
    limit = endpoint.limit
    bucket = TokenBucket(limit.max_rate, limit.every_s, limit.capacity) if limit else None
    return _Target(endpoint, bucket)


def _head_size(request: web.BaseRequest) -> int:
    line = len(request.method) + len(request.raw_path) + len("  HTTP/1.1\r\n\r\n")
    return line + sum(len(name) + len(value) + 4 for name, value in request.raw_headers)


async def _health(request: web.BaseRequest) -> WireResponse:
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S.%f +0000 UTC")
    body = json.dumps({"agents": {}, "now": now, "status": "ok"}, separators=(",", ":"))
    return await _whole(request, 200, [("Content-Type", _JSON)], body.encode())


async def _refused_by_server(request: web.BaseRequest, status: int, text: str) -> WireResponse:
    """What Go's server says before any routing; it closes the connection."""
    headers = [("Content-Type", TEXT), ("Connection", "close")]
    return await _rejected(request, status, headers, text.encode(), close=True)


async def _rejected(
    request: web.BaseRequest, status: int, headers: list[Header], body: bytes = b"", *, close: bool = False
) -> WireResponse:
    """An answer of the gateway's own to a request whose body nobody reads.

    Go drains a small one to keep the connection, and closes on a big one or when a 100 is awaited.
    """
    too_much = (request.content_length or 0) > _GO_DRAIN_LIMIT
    waits = request.body_exists and "Expect" in request.headers
    return await _whole(request, status, headers, body, close=close or too_much or waits)


async def _whole(
    request: web.BaseRequest, status: int, headers: list[Header], body: bytes, *, close: bool = False
) -> WireResponse:
    answer = WireResponse(status, [*headers, ("Content-Length", str(len(body)))])
    if close:
        answer.force_close()
    await answer.prepare(request)
    await answer.write_eof(body)
    if close and request.transport is not None:
        # Say the end now and hang up later: at once, a body still on its way would wipe out the answer.
        request.transport.write_eof()
        asyncio.get_running_loop().call_later(_GO_HANG_UP_S, request.transport.close)
    return answer
