"""A client's body: streamed to the backend, and the rest of it read before any answer, as Go does it."""

import asyncio
from collections.abc import AsyncIterator

from aiohttp import web

_GO_DRAIN_LIMIT = 256 << 10


class ClientBody:
    """The backend's call and `drain` read in turn; after `drain` the call gets nothing more.

    `100 Continue` is said when the backend's connection stands and the body is wanted.
    """

    def __init__(self, request: web.BaseRequest) -> None:
        self._request = request
        self._content = request.content
        self._turn = asyncio.Lock()
        self._read = 0
        self._is_closed = False
        self._call_is_over = asyncio.Event()
        self.awaits_permission = (
            request.body_exists and request.headers.get("Expect", "").lower() == "100-continue"
        )

    async def stream(self) -> AsyncIterator[bytes]:
        if self.awaits_permission:
            self.awaits_permission = False
            await self._request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            self._request.writer.output_size = 0
        while chunk := await self._next_for_backend():
            yield chunk

    async def drain(self) -> bool:
        """Read on, up to 256 KiB; whether the body has ended. Raises TimeoutError when it is late."""
        self._is_closed = True
        async with self._turn:
            if (self._request.content_length or 0) - self._read > _GO_DRAIN_LIMIT:
                return False
            limit = self._read + _GO_DRAIN_LIMIT
            while self._read <= limit:
                chunk = await self._content.readany()
                if not chunk:
                    return True
                self._read += len(chunk)
        return False

    def end_call(self) -> None:
        """Let a call that still waits for more of the body fail."""
        self._call_is_over.set()

    async def _next_for_backend(self) -> bytes:
        async with self._turn:
            if not self._is_closed:
                chunk = await self._content.readany()
                self._read += len(chunk)
                return chunk
        await self._call_is_over.wait()
        raise ConnectionError("the answer came before the end of the body")
