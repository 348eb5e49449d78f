"""Connections to MySQL and MariaDB on which no wait outlasts the request, and the breaker before new ones.

A database that hangs takes connections and says nothing; one that is away refuses them. Both end here, before
COMMIT as something that can be repeated, at COMMIT as an unknown outcome: service_kit.db.database decides.
"""

import threading
from contextlib import nullcontext
from functools import lru_cache
from typing import Any

import pybreaker
import pymysql
import structlog
from pymysql.connections import Connection
from pymysql.protocol import FieldDescriptorPacket, MysqlPacket
from sqlalchemy import exc
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection, QueuePool
from sqlalchemy.util.queue import Queue

from service_kit.db.database import CONNECTION_ERRORS, DatabaseAway, DatabaseUnavailable
from service_kit.deadlines import time_budget, time_left_s

log = structlog.get_logger(__name__)

# So much time has even what begins late, such as the ROLLBACK or the next COMMIT of a request that is over.
SHORTEST_WAIT_S = 0.2
# Whoever waited so long did not wait for a lock, nor because little time was left.
HANGS_AFTER_S = 3.0
BREAKER_FAILURES = 5
# A new try every second: whoever comes back is used at once.
BREAKER_RESET_S = 1.0


def longest_wait_s(limit_s: float) -> float:
    """Return how long the database is waited for now: as long as the request can, and ``limit_s`` at most."""
    return min(limit_s, max(SHORTEST_WAIT_S, time_left_s(limit_s)))


class DeadlineConnection(Connection):
    """A connection whose every wait ends with the current deadline, or with its own time-outs before that.

    PyMySQL takes time-outs for the whole life of a connection, but reads them before each wait. One that is
    over closes the connection: an answer that comes later is nobody's.
    """

    _read_timeout: float | None
    _write_timeout: float | None

    def connect(self, sock: Any = None) -> None:
        """Connect, the greeting and the settings included, within the time-out for connecting."""
        self._longest_s = self._read_timeout
        limit_s = self.connect_timeout
        with nullcontext() if limit_s is None else time_budget(limit_s):
            self.connect_timeout = None if limit_s is None else longest_wait_s(limit_s)
            self._limit_waits()
            super().connect(sock)
        self.connect_timeout = limit_s

    def _execute_command(self, command: int, sql: str | bytes) -> None:
        self._limit_waits()
        super()._execute_command(command, sql)  # type: ignore[misc]  # every command passes here

    def _read_packet(self, packet_type: type[MysqlPacket] = MysqlPacket) -> MysqlPacket:
        """Read a packet; a SELECT describes each of its columns anew, in the same bytes each time."""
        if packet_type is not FieldDescriptorPacket:
            return super()._read_packet(packet_type)  # type: ignore[no-untyped-call, no-any-return]
        packet = super()._read_packet()  # type: ignore[no-untyped-call]
        return _description_of_column(packet.get_all_data(), self.encoding)

    @property
    def waits_at_most_s(self) -> float | None:
        """How long the last command was given."""
        return self._read_timeout

    def _limit_waits(self) -> None:
        if self._longest_s is not None:
            self._read_timeout = self._write_timeout = longest_wait_s(self._longest_s)


# Parsing them was a sixth of the function calls that a payment took in payment-service.
@lru_cache(maxsize=4096)
def _description_of_column(packet: bytes, encoding: str) -> FieldDescriptorPacket:
    return FieldDescriptorPacket(packet, encoding)


class Connector:
    """Makes the connections of one engine, unless the server has been away; a ``do_connect`` listener.

    Only what failed to connect opens the breaker: the server's own errors do not. A statement without an
    answer makes it doubt: the next connection decides, which is made at once if only the statement was slow.
    While the breaker is open or doubts, one at a time tries, and all others are refused.
    """

    def __init__(self) -> None:
        self._breaker = pybreaker.CircuitBreaker(
            fail_max=BREAKER_FAILURES,
            reset_timeout=BREAKER_RESET_S,
            name="database",
            exclude=[lambda error: not _is_away(error)],
            listeners=[_LoggedChanges()],
            # Whoever opens it did try, and is told what came of it.
            throw_new_error_on_trip=False,
        )
        self._trying = threading.Lock()

    def __call__(self, _dialect: Any, _record: Any, args: Any, options: dict[str, Any]) -> DeadlineConnection:
        """Return a new connection.

        Raises:
            DatabaseAway: the server was away a moment ago, or still is.
            pymysql.Error: the server refused, or could not be reached.
        """
        if self._breaker.current_state == pybreaker.STATE_CLOSED:
            return self._connect(args, options)
        if not self._trying.acquire(blocking=False):
            raise DatabaseAway
        try:
            return self._connect(args, options)
        except pymysql.Error as error:
            if _is_away(error):
                raise DatabaseAway from error
            raise
        finally:
            self._trying.release()

    def note_hang(self, context: ExceptionContext) -> None:
        """Doubt a server that left a statement or COMMIT without an answer; a ``handle_error`` listener."""
        if not isinstance(context.original_exception.__context__, TimeoutError) or context.connection is None:
            return
        connection = context.connection.connection.driver_connection
        waited_s = connection.waits_at_most_s if isinstance(connection, DeadlineConnection) else None
        if waited_s is not None and waited_s >= HANGS_AFTER_S:
            log.warning("database_without_answer", waited_s=round(waited_s, 1))
            if self._breaker.current_state == pybreaker.STATE_CLOSED:
                self._breaker.half_open()

    def _connect(self, args: Any, options: dict[str, Any]) -> DeadlineConnection:
        try:
            # calling() and not call(): the latter holds the breaker's lock while it connects.
            with self._breaker.calling():
                return DeadlineConnection(*args, **options)
        except pybreaker.CircuitBreakerError:
            raise DatabaseAway from None


class _LoggedChanges(pybreaker.CircuitBreakerListener):
    """Tells operators when the database went away, and when it came back."""

    def __init__(self) -> None:
        self._was_away = False

    def state_change(self, cb: Any, old_state: Any, new_state: Any) -> None:
        """Tell each once; in between it is only looked for."""
        if new_state.name == pybreaker.STATE_OPEN and not self._was_away:
            self._was_away = True
            log.error("database_away")
        elif new_state.name == pybreaker.STATE_CLOSED and self._was_away:
            self._was_away = False
            log.warning("database_back")


def _is_away(error: object) -> bool:
    return isinstance(error, pymysql.Error) and bool(error.args) and error.args[0] in CONNECTION_ERRORS


class _DeadlineQueue(Queue[ConnectionPoolEntry]):
    def get(self, block: bool = True, timeout: float | None = None) -> ConnectionPoolEntry:
        return super().get(block, None if timeout is None else time_left_s(timeout))


class DeadlinePool(QueuePool):
    """A pool in which nobody waits for a free connection longer than the request can."""

    _queue_class = _DeadlineQueue

    def connect(self) -> PoolProxiedConnection:
        """Return a connection.

        Raises:
            DatabaseUnavailable: none came free in time.
        """
        try:
            return super().connect()
        except exc.TimeoutError as error:
            raise DatabaseUnavailable("No connection to the database came free in time.") from error
