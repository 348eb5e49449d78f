"""The engines of a service's database: their settings, and how their connections are made.

Whatever the database does, waiting for it ends with the time of the request: for a free connection, for a
new one, for a lock and for each answer (service_kit.db.connections).
"""

from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.engine import URL, Connection, make_url
from sqlalchemy.pool import PoolProxiedConnection

from service_kit.db.connections import Connector, DeadlinePool, longest_wait_s
from service_kit.db.database import DatabaseMissing

# How long a new connection and one answer may take; less where the request has less time left. A connection
# is made within moments or not at all: a server that hangs accepts it and never says a word.
_TIMEOUTS_S = {"connect_timeout": 1, "read_timeout": 10, "write_timeout": 10}
_LOCK_WAIT_S = 2
# More than there are threads that use the database: only connections that do not come back make one wait.
_POOL = {"poolclass": DeadlinePool, "pool_size": 20, "max_overflow": 20, "pool_timeout": 10.0}


def engine_options(url: URL | str) -> dict[str, Any]:
    """Return the arguments of ``create_engine`` that fit the engine behind ``url``.

    A time-out that the URL itself gives, such as ``?read_timeout=60``, is left to it.
    """
    url = make_url(url)
    if url.get_backend_name() == "sqlite":
        # isolation_level None: the driver begins nothing by itself, our own event below does.
        connect_args = {"isolation_level": None, "timeout": _LOCK_WAIT_S, "check_same_thread": False}
        is_file = url.database not in {None, "", ":memory:"}
        return {"hide_parameters": True, "connect_args": connect_args, **(_POOL if is_file else {})}
    return {
        # An error shows its statement in the log: parameters may be addresses, tokens and names.
        "hide_parameters": True,
        "isolation_level": "READ COMMITTED",
        **_POOL,
        "pool_recycle": 1800,
        # The session has ended its transaction when it gives a connection back, or has given it up (_commit):
        # one more ROLLBACK is a round trip for nothing.
        "pool_reset_on_return": None,
        "connect_args": {
            "charset": "utf8mb4",
            **{name: seconds for name, seconds in _TIMEOUTS_S.items() if name not in url.query},
            "init_command": (
                "SET sql_mode='STRICT_TRANS_TABLES,ONLY_FULL_GROUP_BY,NO_ZERO_DATE,NO_ZERO_IN_DATE,"
                "ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION', time_zone='+00:00', "
                f"innodb_lock_wait_timeout={_LOCK_WAIT_S}"
            ),
        },
    }


def prepare_engine(engine: Engine) -> None:
    """Let no wait outlast the request, give up connections that cannot roll back, begin when we say so."""
    _close_what_cannot_roll_back(engine)
    if engine.dialect.name != "sqlite":
        connector = Connector()
        event.listen(engine, "do_connect", connector)
        event.listen(engine, "handle_error", connector.note_hang)
        return
    event.listen(engine, "do_connect", _connect_to_sqlite_in_time)
    event.listen(engine, "connect", _set_up_sqlite)
    event.listen(engine, "begin", _begin_sqlite)


def _close_what_cannot_roll_back(engine: Engine) -> None:
    """Let no connection with an open transaction return to the pool: the next unit would store it."""
    roll_back = engine.dialect.do_rollback

    def roll_back_or_close(connection: PoolProxiedConnection) -> None:
        try:
            roll_back(connection)
        except Exception as exc:
            connection.invalidate(exc)
            raise

    engine.dialect.do_rollback = roll_back_or_close  # type: ignore[assignment]


def require_database(engine: Engine) -> None:
    """Let opening a SQLite file that is not there raise ``DatabaseMissing``; SQLite itself would make it."""
    file = engine.url.database
    if engine.dialect.name != "sqlite" or file in {None, "", ":memory:"}:
        return

    @event.listens_for(engine, "do_connect")
    def look(*_connect: object) -> None:
        if not Path(str(file)).exists():
            raise DatabaseMissing(
                f"There is no database {file}. Is DATABASE_URL right? If it is new, `migrate` makes it."
            )


def _connect_to_sqlite_in_time(_dialect: Any, _record: Any, _args: Any, options: dict[str, Any]) -> None:
    options["timeout"] = longest_wait_s(options.get("timeout", _LOCK_WAIT_S))


def _set_up_sqlite(connection: Any, _record: Any) -> None:
    # The last one is for the transactions to come, the time of this one's request is over by then.
    for pragma in (
        *("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"),
        f"busy_timeout={_LOCK_WAIT_S * 1000}",
    ):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin_sqlite(connection: Connection) -> None:
    _wait_for_sqlite_in_time(connection)
    immediate = connection.get_execution_options().get("begin_immediate", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


def _wait_for_sqlite_in_time(connection: Connection) -> None:
    """Wait for the file's lock no longer than the request can: SQLite waits at the beginning only."""
    driver: Any = connection.connection.driver_connection
    known = connection.info
    if "longest_wait_ms" not in known:
        known["longest_wait_ms"] = known["wait_ms"] = driver.execute("PRAGMA busy_timeout").fetchone()[0]
    wait_ms = int(1000 * longest_wait_s(known["longest_wait_ms"] / 1000))
    if wait_ms != known["wait_ms"]:
        driver.execute(f"PRAGMA busy_timeout={wait_ms}").close()
        known["wait_ms"] = wait_ms
