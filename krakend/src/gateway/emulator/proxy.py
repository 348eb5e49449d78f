"""Answer one request as KrakenD would: route it, limit it, pass it on, relay what comes back."""

import asyncio
import json
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast

import aiohttp
from aiohttp import web

from gateway.emulator.backend import BackendClient, Call
from gateway.emulator.client_body import ClientBody
from gateway.emulator.config import Config, Endpoint
from gateway.emulator.connection import Connection
from gateway.emulator.headers import (
    TEXT,
    Header,
    MalformedHeader,
    OwnHeaders,
    relayed_headers,
    request_headers,
)
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
        self._router = Router(
            [
                ("GET", HEALTH, _Target(None)),
                *((endpoint.method, endpoint.path, _target(endpoint)) for endpoint in config.endpoints),
            ]
        )

    async def handle(self, request: web.BaseRequest) -> WireResponse:
        try:
            path = decode_path(request.raw_path)
        except MalformedPath:
            headers = [("Content-Type", TEXT)]
            return await _whole(request, 400, headers, b"400 Bad Request", close=True)
        return await self._route(request, path)

    async def _route(self, request: web.BaseRequest, path: str) -> WireResponse:
        target, params = self._router.match(request.method, path)
        try:
            check_params(params)
        except UnusableParam as exc:
            return await _rejected(request, 400, [("Content-Type", TEXT)], str(exc).encode())
        if target is None:
            return await self._not_routed(request, self._router.allowed_methods(path))
        if target.endpoint is None:
            return await _health(request)
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
        body = ClientBody(request)
        connection = cast(Connection, request.protocol)
        call = Call(
            method=endpoint.backend.method,
            url=endpoint.backend.host + path + query,
            headers=request_headers(
                request.headers,
                endpoint.input_headers,
                request.remote or "",
                content_types=connection.content_types,
                has_body=request.body_exists,
            ),
            body=body.stream if request.body_exists else None,
        )
        return await self._ask(request, endpoint, call, body)

    async def _ask(
        self, request: web.BaseRequest, endpoint: Endpoint, call: Call, body: ClientBody
    ) -> WireResponse:
        """No answer goes out before the client's body is in, and one that is late by then is a 500 too."""
        deadline = asyncio.get_running_loop().time() + endpoint.timeout_s
        backend: aiohttp.ClientResponse | None = None
        relay: Relay | None = None
        is_whole = cut = False
        try:
            try:
                async with asyncio.timeout_at(deadline):
                    backend = await self._client.send(call)
            finally:
                is_whole = await body.drain()
            if asyncio.get_running_loop().time() >= deadline:
                raise TimeoutError
            async with asyncio.timeout_at(deadline):
                relay = self._begin_answer(request, endpoint, backend, close=not is_whole)
                await relay.copy(backend)
        except (aiohttp.ClientError, OSError, web.RequestPayloadError, MalformedHeader, zlib.error):
            cut = True
        finally:
            if backend is not None:
                backend.close()
            body.end_call()
        if relay is None:
            return await _whole(request, 500, self._own.marked(request.headers), close=not is_whole)
        return await relay.finish(cut=cut)

    def _begin_answer(
        self,
        request: web.BaseRequest,
        endpoint: Endpoint,
        backend: aiohttp.ClientResponse,
        *,
        close: bool,
    ) -> Relay:
        """The head of the answer; a body that only the gateway asked to be zipped is unzipped on its way."""
        client_asked = "Accept-Encoding" in request.headers and endpoint.forwards("Accept-Encoding")
        unzip = not client_asked and backend.headers.get("Content-Encoding", "").lower() == "gzip"
        is_http_1_0 = backend.version == aiohttp.HttpVersion10
        headers = relayed_headers(
            backend.raw_headers, backend.status, is_http_1_0=is_http_1_0, unzipped=unzip
        )
        answer = WireResponse(backend.status, [*self._own.marked(request.headers), *headers])
        if close or ("Connection", "close") in headers:
            answer.force_close()
        return Relay(request, answer, unzip=unzip)


def _target(endpoint: Endpoint) -> _Target:
    limit = endpoint.limit
    bucket = TokenBucket(limit.max_rate, limit.every_s, limit.capacity) if limit else None
    return _Target(endpoint, bucket)


async def _health(request: web.BaseRequest) -> WireResponse:
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S.%f +0000 UTC")
    body = json.dumps({"agents": {}, "now": now, "status": "ok"}, separators=(",", ":"))
    return await _rejected(request, 200, [("Content-Type", _JSON)], body.encode())


async def _rejected(
    request: web.BaseRequest, status: int, headers: list[Header], body: bytes = b""
) -> WireResponse:
    """An answer of the gateway's own to a request whose body nobody wants; Go reads it all the same.

    Who waits for a 100 has the answer first, and the connection stays open for what may come.
    """
    client_body = ClientBody(request)
    awaits_permission = client_body.awaits_permission
    if awaits_permission:
        answer = await _whole(request, status, headers, body, close=True)
    try:
        is_whole = await client_body.drain()
    except (TimeoutError, web.RequestPayloadError):
        is_whole = False
    return answer if awaits_permission else await _whole(request, status, headers, body, close=not is_whole)


async def _whole(
    request: web.BaseRequest, status: int, headers: list[Header], body: bytes = b"", *, close: bool = False
) -> WireResponse:
    answer = WireResponse(status, [*headers, ("Content-Length", str(len(body)))])
    if close:
        answer.force_close()
    await answer.prepare(request)
    await answer.write_eof(b"" if request.method == "HEAD" else body)
    return answer
