"""gunicorn's worker of threads, which gives a thread to whole requests only: slow clients hold none."""

import errno
import select
import selectors
import socket
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from typing import Any

from gunicorn import util
from gunicorn.workers.gthread import ThreadWorker

from service_kit.process.arrival import MAX_HEAD_BYTES, Verdict
from service_kit.process.web_connection import Connection

# Of one connection at a time, so that no other waits long for its turn.
_RECEIVE_BYTES = 64 * 1024
# What all requests until their answers may hold together; beyond it, those above their share are dropped.
_MAX_HELD_BYTES = 32 * 1024 * 1024
_FAIR_SHARE_BYTES = MAX_HEAD_BYTES
# As gunicorn: so long the client may still send after the last answer, which a reset could else destroy.
_LINGER_S = 2.0
_DEFAULT_MAX_BODY_BYTES = 64 * 1024
_OUT_OF_FILES = frozenset({errno.EMFILE, errno.ENFILE})
_NO_CONNECTION = frozenset({errno.EAGAIN, errno.ECONNABORTED, errno.EWOULDBLOCK})


class WebWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """gthread, which reads requests in its main loop and hands a thread only those that have arrived.

    gthread itself lets every connection that has sent a byte hold a thread. Its lists of connections serve as
    they are: ``keepalived_conns`` are between two requests, ``pending_conns`` within one. At its end it
    refuses new connections while it answers the last requests: a gateway would else wait for its time-out
    instead of telling its client at once.
    """

    # From its first byte to its last; gunicorn knows no settings but its own.
    request_within_s = 2.0

    def __init__(self, *of_gunicorn: Any) -> None:
        super().__init__(*of_gunicorn)
        # Whoever waits longest is dropped for the next: no answer need close its connection before.
        self.max_keepalived = self.worker_connections
        self.lingering_conns: deque[Connection] = deque()
        self.held_bytes = 0

    @property
    def _lists(self) -> tuple[deque[Connection], ...]:
        return (self.lingering_conns, self.pending_conns, self.keepalived_conns)

    def load_wsgi(self) -> None:
        """Load the application, and see how large its bodies may be."""
        super().load_wsgi()
        config = getattr(self.wsgi, "config", {})
        largest = (config.get("MAX_CONTENT_LENGTH"), *config.get("BODY_LIMITS", {}).values())
        self.max_body_bytes = max((limit for limit in largest if limit), default=_DEFAULT_MAX_BODY_BYTES)

    def set_accept_enabled(self, enabled: bool) -> None:
        """Accept or not; at the end of a worker, take those that wait already and close."""
        super().set_accept_enabled(enabled)
        if enabled or self.alive:
            return
        for listener in self.sockets:
            while listener.sock and select.select([listener], [], [], 0)[0]:
                self.accept(listener)
            listener.close()

    def accept(self, listener: Any) -> None:
        """Take a connection, which may be silent as between two requests: gateways open some in advance."""
        if self.nr_conns + 1 >= self.worker_connections:
            self._drop_longest_waiting()
        try:
            sock, client = listener.accept()
        except OSError as exc:
            if exc.errno in _OUT_OF_FILES:
                self._drop_longest_waiting()
            elif exc.errno not in _NO_CONNECTION:
                raise
            return
        self.nr_conns += 1
        conn = Connection(self.max_body_bytes, self.cfg, sock, client, listener.getsockname())
        self._watch(conn, self.keepalived_conns, self.on_client_socket_readable)

    def on_client_socket_readable(self, conn: Connection, _client: Any) -> None:
        """Read the beginning of a request."""
        self._receive(conn, self.keepalived_conns)

    def on_pending_socket_readable(self, conn: Connection, _client: Any) -> None:
        """Read more of a request."""
        self._receive(conn, self.pending_conns)

    def _receive(self, conn: Connection, waiting: deque[Connection]) -> None:
        if conn not in waiting:
            return  # dropped since the poller saw it
        try:
            data = conn.sock.recv(_RECEIVE_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        conn.arrival.received += data
        conn.held_bytes += len(data)
        self.held_bytes += len(data)
        if not data or (self.held_bytes > _MAX_HELD_BYTES and conn.held_bytes > _FAIR_SHARE_BYTES):
            self._unwatch(conn, waiting)
            self._close(conn)
        elif conn.arrival.judge() is not Verdict.WAITING:
            self._unwatch(conn, waiting)
            self._begin(conn)
        elif waiting is self.keepalived_conns:
            self._unwatch(conn, waiting)
            self._await_rest(conn)
        else:
            self._let_continue(conn)

    def _begin(self, conn: Connection) -> None:
        conn.take_request()
        self.enqueue_req(conn)

    def _await_rest(self, conn: Connection) -> None:
        conn.waits_since = time.monotonic()
        conn.timeout = conn.waits_since + self.request_within_s
        self._watch(conn, self.pending_conns, self.on_pending_socket_readable)
        self._let_continue(conn)

    def _let_continue(self, conn: Connection) -> None:
        if conn.arrival.expects_continue:
            conn.arrival.expects_continue = False
            with suppress(OSError):
                conn.sock.send(b"HTTP/1.1 100 Continue\r\n\r\n")

    def handle_request(self, req: Any, conn: Connection) -> Any:
        """Answer a request in a thread; its client was told before to continue, where it wanted to be."""
        req._expected_100_continue = False
        if conn.is_last:
            req.force_close()
        try:
            return super().handle_request(req, conn)
        except BlockingIOError:
            self.log.debug("A client did not take its answer in time.")
            return False

    def _keepalive_after(self, conn: Connection, keepalive: Any) -> bool:
        return super()._keepalive_after(conn, keepalive) and not conn.is_last and conn.is_request_read

    def finish_request(self, conn: Connection, fs: Future[Any]) -> None:
        """Go on with the next request of a connection, or end it; called in the main loop."""
        self._release(conn, len(conn.arrival.received))
        try:
            goes_on = fs.result()
        except Exception:  # noqa: BLE001  whatever it was, gunicorn's thread told of it
            goes_on = False
        if not goes_on:
            self._linger(conn)
        elif not conn.arrival.received:
            super().finish_request(conn, fs)
        elif conn.arrival.judge() is Verdict.WAITING:
            self._await_rest(conn)
        else:
            self._begin(conn)

    def murder_pending(self) -> None:
        """Refuse requests that did not arrive in time, and end connections that took their last answer."""
        now = time.monotonic()
        while self.pending_conns and self.pending_conns[0].timeout <= now:
            conn = self.pending_conns[0]
            self._unwatch(conn, self.pending_conns)
            with suppress(OSError):
                util.write_error(conn.sock, 408, "Request Timeout", "The request did not arrive in time.")
            self._linger(conn)
        while self.lingering_conns and self.lingering_conns[0].timeout <= now:
            conn = self.lingering_conns[0]
            self._unwatch(conn, self.lingering_conns)
            self._close(conn)

    def _linger(self, conn: Connection) -> None:
        """End a connection whose client may still send; gthread would wait for that in the main loop."""
        self._release(conn, 0)
        conn.waits_since = time.monotonic()
        conn.timeout = conn.waits_since + _LINGER_S
        try:
            conn.sock.shutdown(socket.SHUT_WR)
        except OSError:
            self._close(conn)
        else:
            self._watch(conn, self.lingering_conns, self._discard)

    def _discard(self, conn: Connection, _client: Any) -> None:
        if conn not in self.lingering_conns:
            return
        try:
            is_over = not conn.sock.recv(_RECEIVE_BYTES)
        except BlockingIOError:
            return
        except OSError:
            is_over = True
        if is_over:
            self._unwatch(conn, self.lingering_conns)
            self._close(conn)

    def _drop_longest_waiting(self) -> None:
        """Make room at the expense of the client that was waited for longest: it is hardly an honest one."""
        waiting = [some for some in self._lists if some]
        if waiting:
            longest = min(waiting, key=lambda some: some[0].waits_since)
            conn = longest[0]
            self._unwatch(conn, longest)
            self._close(conn)

    def _watch(
        self, conn: Connection, waiting: deque[Connection], then: Callable[[Connection, Any], None]
    ) -> None:
        conn.sock.setblocking(False)
        waiting.append(conn)
        self.poller.register(conn.sock, selectors.EVENT_READ, partial(then, conn))

    def _unwatch(self, conn: Connection, waiting: deque[Connection]) -> None:
        waiting.remove(conn)
        self.poller.unregister(conn.sock)

    def _release(self, conn: Connection, still_held: int) -> None:
        self.held_bytes -= conn.held_bytes - still_held
        conn.held_bytes = still_held

    def _close(self, conn: Connection) -> None:
        self._release(conn, 0)
        self.nr_conns -= 1
        conn.arrival.forget()
        conn.close()
