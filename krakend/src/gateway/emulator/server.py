"""Listen, serve, and drain as KrakenD does when it is told to stop."""

import asyncio
import logging
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast
from weakref import WeakSet

from aiohttp import web

from gateway.emulator.backend import BackendClient
from gateway.emulator.config import Config
from gateway.emulator.proxy import Proxy
from gateway.emulator.relay import WireResponse, drop_automatic_headers
from gateway.emulator.request_head_guard import RequestHeadGuard

log = logging.getLogger("gateway.emulator")
_HEAD_LIMIT_OF_AIOHTTP = 1 << 20  # far above the real one, which RequestHeadGuard and Proxy hold
_FOR_EVER_S = 1e8


async def serve(config: Config) -> None:
    """Serve until SIGTERM or SIGINT; raises OSError when the port cannot be had."""
    client = BackendClient(config)
    try:
        front = _Front(config, Proxy(config, client))
        async with _stop_signal() as stopped:
            await front.open()
            log.info("listening on %s:%d", config.listen_ip or "*", config.port)
            await stopped.wait()
            log.info("stopping: running requests may finish")
            await front.drain(config.max_shutdown_wait_s)
    finally:
        await client.close()


@asynccontextmanager
async def _stop_signal() -> AsyncIterator[asyncio.Event]:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    yield stopped


class _Front:
    def __init__(self, config: Config, proxy: Proxy) -> None:
        self._config = config
        self._proxy = proxy
        self._running: dict[asyncio.Task[None], web.RequestHandler] = {}
        self._guards: WeakSet[RequestHeadGuard] = WeakSet()
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._handle, expect_handler=_leave_to_proxy)
        app.on_response_prepare.append(drop_automatic_headers)
        self._runner = web.AppRunner(
            app,
            access_log=None,
            handler_cancellation=True,  # a client that leaves takes its backend call along
            auto_decompress=False,
            keepalive_timeout=_FOR_EVER_S,
            shutdown_timeout=1.0,
            max_line_size=_HEAD_LIMIT_OF_AIOHTTP,
            max_field_size=_HEAD_LIMIT_OF_AIOHTTP,
            max_headers=10_000,
        )
        self._listener: asyncio.Server | None = None

    async def open(self) -> None:
        await self._runner.setup()
        loop = asyncio.get_running_loop()
        self._listener = await loop.create_server(
            self._admit, self._config.listen_ip, self._config.port, backlog=1024
        )

    async def drain(self, limit_s: float) -> None:
        """Close the listener and idle connections, let running requests finish for so long, then cut them."""
        if self._listener is not None:
            self._listener.close()
        for guard in list(self._guards):
            guard.dismiss()
        self._close_idle_connections()
        if self._running:
            _, late = await asyncio.wait(self._running, timeout=limit_s or None)
            for task in late:
                task.cancel()
        await self._runner.cleanup()

    def _close_idle_connections(self) -> None:
        server = self._runner.server
        if server is None:
            return
        server.pre_shutdown()  # a busy one closes after its answer
        busy = set(self._running.values())
        for connection in server.connections:
            if connection not in busy and connection.transport is not None:
                connection.transport.close()

    def _admit(self) -> RequestHeadGuard:
        config = self._config
        guard = RequestHeadGuard(
            self._make_protocol, config.max_header_bytes + 4096, config.read_header_timeout_s
        )
        self._guards.add(guard)
        return guard

    def _make_protocol(self) -> asyncio.Protocol:
        if self._runner.server is None:
            raise RuntimeError("not open")
        return self._runner.server()

    async def _handle(self, request: web.Request) -> WireResponse:
        task = cast("asyncio.Task[None]", asyncio.current_task())
        self._running[task] = request.protocol
        started = time.monotonic()
        status: int | str = "gone"
        try:
            answer = await self._proxy.handle(request)
            status = answer.status
            return answer
        finally:
            del self._running[task]
            if request.path not in self._config.unlogged_paths:
                elapsed_ms = (time.monotonic() - started) * 1000
                log.info("%s %s -> %s in %.1f ms", request.method, request.raw_path, status, elapsed_ms)


async def _leave_to_proxy(_request: web.Request) -> None:
    """Do not say `100 Continue` yet: KrakenD says it only when the backend is to get the body."""
