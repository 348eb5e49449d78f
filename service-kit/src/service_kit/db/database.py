"""One database per service: units of work that can be re-run.

The rules are those of docs/adr/0002 (SQLite as the embedded default) and 0005 (unknown outcomes):
no network call inside a transaction, pure database work inside a unit, the whole unit repeated on a
deadlock, and an unknown outcome only where a connection is lost while COMMIT is under way.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar, cast

import structlog
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import MetaData, select
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import DeclarativeBase, InstrumentedAttribute, Session
from tenacity import (
    RetryCallState,
    Retrying,
    retry,
    retry_if_exception,
    retry_if_exception_type,
    stop_after_attempt,
    wait_random_exponential,
)

from service_kit.db.rows import AppendingSession, insert_rows
from service_kit.deadlines import Deadline, current_deadline

T = TypeVar("T")
log = structlog.get_logger(__name__)

DEADLOCK, LOCK_WAIT_TIMEOUT, RECORD_CHANGED = 1213, 1205, 1020
# A proxy in between (Vitess) says these of a transaction that it ended, and much else by 1105.
UNKNOWN_ERROR, QUERY_INTERRUPTED = 1105, 1317
_PROXYS_WORDS = ("unavailable", "not serving", "tablet type", "killed", "transaction")
# 1040, 1203: the server has no connection left for us. The others: it went away, or cannot be reached.
CONNECTION_ERRORS = frozenset({1040, 1203, 1047, 1053, 1927, 2002, 2003, 2006, 2013, 2055})
_NOT_TAKEN = frozenset({DEADLOCK, LOCK_WAIT_TIMEOUT, RECORD_CHANGED})
DEFAULT_BUDGET_S = 10.0

_NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
_in_unit_of_work: ContextVar[bool] = ContextVar("in_unit_of_work", default=False)


def new_metadata() -> MetaData:
    """Return the metadata for one service's tables, whose constraints are named alike everywhere.

    Each service has its own base class: ``class Base(DeclarativeBase): metadata = new_metadata()`` in its
    ``models/base.py``; a base shared by all would mix the tables of services that a test imports together.
    """
    return MetaData(naming_convention=_NAMING)


class CommitOutcomeUnknown(Exception):
    """The connection was lost while COMMIT was under way: the work may or may not be stored.

    ``result`` is what the work returned, for an answer that need not read the database again.
    """

    def __init__(self, result: object) -> None:
        super().__init__("The connection was lost while the work was being stored.")
        self.result = result


class DatabaseUnavailable(Exception):
    """The database did not take the work within the budget; nothing of it is stored."""


class DatabaseAway(DatabaseUnavailable):
    """The database could not be reached a moment ago, and is not waited for; nothing is stored."""

    def __init__(self) -> None:
        super().__init__("The database is away.")


class DatabaseMissing(DatabaseUnavailable):
    """There is no such SQLite file; only a migration makes one."""


class NetworkCallInTransaction(RuntimeError):
    """A network call was about to be made while rows were locked or written: a programming error."""


class Database(SQLAlchemy):
    """Flask-SQLAlchemy with the two ways to use a database here: ``in_transaction`` and ``reading``."""

    def __init__(self) -> None:
        super().__init__(session_options={"expire_on_commit": False, "class_": AppendingSession})

    @property
    def has_one_writer(self) -> bool:
        """Whether a transaction locks all tables (SQLite): who is idle must not begin one again and again."""
        return self.engine.dialect.name == "sqlite"

    def in_transaction(self, work: Callable[[Session], T]) -> T:
        """Run ``work`` in one transaction, commit it and return what it returned.

        ``work`` is pure database work: no network, clock or randomness inside, because it is run again
        from the start after a deadlock, a lock time-out, or a connection lost before COMMIT, until the
        current deadline (or ``DEFAULT_BUDGET_S``) passes.

        Raises:
            CommitOutcomeUnknown: COMMIT ended with an error that does not plainly mean "not stored".
            DatabaseUnavailable: the budget ran out, or the database has been away; nothing is stored.
        """
        deadline = current_deadline() or Deadline.after(DEFAULT_BUDGET_S)
        try:
            return self._run_once(work)
        except DBAPIError as exc:
            if not is_repeatable(exc):
                raise
            return self._run_again(work, exc, deadline)

    def _run_again(self, work: Callable[[Session], T], first_error: DBAPIError, deadline: Deadline) -> T:
        log.warning("unit_of_work_repeated", error=error_code(first_error))
        retrying = Retrying(
            # Work that was caught by the beginning of an outage waits for its end as long as it can.
            retry=retry_if_exception(lambda exc: is_repeatable(exc) or isinstance(exc, DatabaseAway)),
            wait=wait_random_exponential(multiplier=0.02, max=0.5),
            stop=lambda state: _no_time_for_another(state, deadline),
            reraise=True,
        )
        try:
            if deadline.has_passed:
                raise first_error
            result: T = retrying(self._run_once, work)
        except DBAPIError as exc:
            if is_repeatable(exc):
                raise DatabaseUnavailable("The database did not take the work in time.") from exc
            raise
        return result

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Give a session of its own for a few SELECTs, and end it afterwards.

        What was loaded stays readable after the block, detached. No network call may be made inside.

        Raises:
            DatabaseUnavailable: the database cannot be read now.
        """
        token = _in_unit_of_work.set(True)
        try:
            with self.session.session_factory() as session:
                yield session
        except DBAPIError as exc:
            if is_repeatable(exc):
                raise DatabaseUnavailable("The database cannot be read.") from exc
            raise
        finally:
            _in_unit_of_work.reset(token)

    def _run_once(self, work: Callable[[Session], T]) -> T:
        session = cast(AppendingSession, self.session())
        _undo(session)
        token = _in_unit_of_work.set(True)
        try:
            if session.get_bind().dialect.name == "sqlite":
                session.connection(execution_options={"begin_immediate": True})
            result = work(session)
            session.write_gathered()
        except BaseException:
            _undo(session)
            raise
        finally:
            _in_unit_of_work.reset(token)
        self._commit(session, result)
        return result

    @staticmethod
    def _commit(session: Session, result: object) -> None:
        try:
            session.commit()
        except DBAPIError as exc:
            # SQLAlchemy sends no ROLLBACK after a COMMIT that failed. What is open goes with the connection;
            # otherwise the next unit would store it.
            session.invalidate()
            if _is_surely_not_stored(exc):
                raise
            raise CommitOutcomeUnknown(result) from exc


def _undo(session: Session) -> None:
    """Roll back; where even that fails, the connection is given up, and no other error is hidden by it."""
    try:
        session.rollback()
    except DBAPIError as exc:
        log.warning("rollback_failed", error=error_code(exc))


def leave_transaction(session: Session) -> None:
    """Make sure that no transaction is open before a network call.

    Raises:
        NetworkCallInTransaction: a unit of work is running, or the session holds unsaved changes.
    """
    if _in_unit_of_work.get() or session.new or session.dirty or session.deleted:
        raise NetworkCallInTransaction("No network call may be made inside a database transaction.")
    if session.in_transaction():
        log.info("read_transaction_closed_before_network_call")
        session.rollback()


def error_code(exc: DBAPIError) -> int | None:
    """Return MySQL's error number, or None where the driver gave none."""
    args = exc.orig.args if exc.orig is not None else ()
    return args[0] if args and isinstance(args[0], int) else None


def is_connection_lost(exc: DBAPIError) -> bool:
    """Whether the connection to the server is gone or could not be made."""
    return exc.connection_invalidated or error_code(exc) in CONNECTION_ERRORS


def is_repeatable(exc: BaseException) -> bool:
    """Whether the unit of work left no trace and may be run again whole."""
    if not isinstance(exc, DBAPIError):
        return False
    code = error_code(exc)
    if code in _NOT_TAKEN or code == QUERY_INTERRUPTED or is_connection_lost(exc):
        return True
    if code == UNKNOWN_ERROR:
        return any(word in str(exc.orig).lower() for word in _PROXYS_WORDS)
    return _sqlite_error(exc).startswith(("SQLITE_BUSY", "SQLITE_LOCKED"))


def _is_surely_not_stored(exc: DBAPIError) -> bool:
    """Whether an error at COMMIT plainly means that nothing is stored; any other leaves it open."""
    return (
        isinstance(exc, IntegrityError)
        or error_code(exc) in _NOT_TAKEN
        or _sqlite_error(exc).startswith(("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_FULL", "SQLITE_READONLY"))
    )


def _sqlite_error(exc: DBAPIError) -> str:
    return str(getattr(exc.orig, "sqlite_errorname", ""))


def _no_time_for_another(state: RetryCallState, deadline: Deadline) -> bool:
    pause_s = state.upcoming_sleep
    return deadline.remaining_s() <= pause_s


# Around a transaction with ``insert_missing``: somebody else stored one of the keys between look and insert.
look_again = retry(retry=retry_if_exception_type(IntegrityError), stop=stop_after_attempt(5), reraise=True)


def insert_missing(
    session: Session, key: InstrumentedAttribute[str], rows: Mapping[str, Mapping[str, Any]]
) -> int:
    """Insert those of ``rows`` (by key) that are not stored yet, and return how many those are.

    ``key`` is the model's column that names a row; a unique constraint on it decides.

    Raises:
        IntegrityError: somebody else stored one of them meanwhile; ``look_again`` repeats the transaction.
    """
    if not rows:
        return 0
    known = set(session.scalars(select(key).where(key.in_(rows))))
    # In the order of their keys, so that two who bring the same rows lock them in the same order.
    missing = [dict(rows[name]) for name in sorted(rows) if name not in known]
    if missing:
        insert_rows(session, cast(type[DeclarativeBase], key.class_), missing)
    return len(missing)
