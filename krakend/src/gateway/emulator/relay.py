"""Hand a backend's body on to the client, cut where it is cut, as KrakenD's no-op does."""

import zlib
from collections.abc import Iterable

import aiohttp
from aiohttp import HttpVersion10, web
from aiohttp.abc import AbstractStreamWriter

from gateway.emulator.content_type import guess_content_type
from gateway.emulator.headers import Header, reason_phrase

_GO_WRITE_BUFFER = 2048
WITHOUT_BODY = (204, 304)


class WireResponse(web.StreamResponse):
    """An answer with exactly these headers and a Date: none of aiohttp's own."""

    _send_headers_immediately = False  # as web.Response does: one packet for a short answer

    def __init__(self, status: int, headers: Iterable[Header]) -> None:
        super().__init__(status=status, reason=reason_phrase(status))
        self.headers.extend(headers)

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        """Send the head; it says so when this is the connection's last answer."""
        if not self.prepared:
            if getattr(request.protocol, "is_draining", False):
                self.force_close()
            has_no_end = request.version == HttpVersion10 and "Content-Length" not in self.headers
            if has_no_end and self.status not in WITHOUT_BODY:
                self.force_close()
            if self.keep_alive is False:
                self.headers.popall("Connection", None)
        return await super().prepare(request)

    async def _prepare_headers(self) -> None:
        """Take out again what aiohttp adds by itself."""
        automatic = [name for name in ("Server", "Content-Type") if name not in self.headers]
        await super()._prepare_headers()
        for name in automatic:
            self.headers.popall(name, None)


class Relay:
    """One answer on its way: `copy` moves the body, `finish` ends it, whole or cut."""

    def __init__(self, request: web.BaseRequest, answer: WireResponse, *, unzip: bool) -> None:
        self._request = request
        self._answer = answer
        self._has_length = "Content-Length" in answer.headers
        self._pending = bytearray()
        self._gzip = zlib.decompressobj(wbits=31) if unzip else None

    async def copy(self, backend: aiohttp.ClientResponse) -> None:
        """Stream until the body ends; raises what ends it early."""
        async for chunk in backend.content.iter_any():
            await self._write(self._gzip.decompress(chunk) if self._gzip else chunk)

    async def _write(self, chunk: bytes) -> None:
        """Without a length, hold back as much as Go does: a short body gets its Content-Length after all."""
        if not self._answer.prepared and not self._has_length:
            self._pending += chunk
            if len(self._pending) <= _GO_WRITE_BUFFER:
                return
            chunk = bytes(self._pending)
            self._pending.clear()
        if chunk:
            await self._start(chunk)
            await self._answer.write(chunk)

    async def _start(self, first: bytes) -> None:
        headers = self._answer.headers
        if first and "Content-Type" not in headers and "Content-Encoding" not in headers:
            headers["Content-Type"] = guess_content_type(first)
        await self._answer.prepare(self._request)

    async def finish(self, *, cut: bool) -> WireResponse:
        """End the answer: a cut body with a length closes the connection, one without looks whole."""
        if not self._answer.prepared:
            body = bytes(self._pending)
            if not self._has_length and self._answer.status not in WITHOUT_BODY:
                self._answer.headers["Content-Length"] = str(len(body))
            await self._start(body)
            if body:
                await self._answer.write(body)
        if cut and self._has_length:
            self._answer.force_close()
        await self._answer.write_eof()
        return self._answer
