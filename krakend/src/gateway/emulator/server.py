"""Listen, serve, and drain as KrakenD does when it is told to stop."""

import asyncio
import logging
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

from aiohttp import web

from gateway.emulator.backend import BackendClient
from gateway.emulator.config import Config
from gateway.emulator.connection import Connection
from gateway.emulator.proxy import Proxy
from gateway.emulator.relay import WireResponse

log = logging.getLogger("gateway.emulator")


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
        self._running: set[asyncio.Task[None]] = set()
        # A client that leaves takes its backend call along.
        self._server = web.Server(self._handle, handler_cancellation=True)
        self._listener: asyncio.Server | None = None

    async def open(self) -> None:
        loop = asyncio.get_running_loop()
        self._listener = await loop.create_server(
            lambda: Connection(self._server, self._config),
            self._config.listen_ip,
            self._config.port,
            backlog=1024,
        )

    async def drain(self, limit_s: float) -> None:
        """Close the listener and idle connections, let running requests finish for so long, then cut them."""
        if self._listener is not None:
            self._listener.close()
        for connection in self._server.connections:
            cast(Connection, connection).drain()
        if self._running:
            _, late = await asyncio.wait(self._running, timeout=limit_s or None)
            for task in late:
                task.cancel()
        await self._server.shutdown(1.0)

    async def _handle(self, request: web.BaseRequest) -> WireResponse:
        task = cast("asyncio.Task[None]", asyncio.current_task())
        connection = cast(Connection, request.protocol)
        self._running.add(task)
        connection.begin(request)
        started = time.monotonic()
        status: int | str = "gone"
        try:
            answer = await self._proxy.handle(request)
            status = answer.status
            return answer
        finally:
            self._running.discard(task)
            connection.end(request)
            if request.path not in self._config.unlogged_paths:
                elapsed_ms = (time.monotonic() - started) * 1000
                log.info("%s %s -> %s in %.1f ms", request.method, request.raw_path, status, elapsed_ms)
