"""Units of work on every engine: what is repeated, what is told, and what is never stored twice."""

import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pymysql
import pytest
from flask import Flask
from service_kit.db.columns import BigId, UtcDateTime, ascii_key
from service_kit.db.database import (
    CommitOutcomeUnknown,
    Database,
    DatabaseUnavailable,
    NetworkCallInTransaction,
    leave_transaction,
    new_metadata,
)
from service_kit.db.engine import engine_options, prepare_engine
from service_kit.db.rows import affected_rows
from service_kit.deadlines import time_budget
from sqlalchemy import create_engine, delete, event, func, make_url, select, text, update
from sqlalchemy.exc import IntegrityError, OperationalError, StatementError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from sqlalchemy.pool import NullPool

from tests.testkit.fake_clock import FakeClock

SERVERS = pytest.mark.engines("mariadb", "mysql")
SQLITE = pytest.mark.engines("sqlite")


class Base(DeclarativeBase):
    metadata = new_metadata()


class Thing(Base):
    __tablename__ = "things"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    name: Mapped[str] = mapped_column(ascii_key(20), unique=True)
    number: Mapped[int] = mapped_column(default=0)
    made_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


@pytest.fixture(autouse=True)
def clock() -> Iterator[FakeClock]:
    """No deadline passes while work is repeated, unless a test lets it."""
    clock = FakeClock()
    with clock.running():
        yield clock


@pytest.fixture
def app(database_url: str) -> Flask:
    app = Flask("kit-test")
    app.config["SQLALCHEMY_DATABASE_URI"] = database_url
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = engine_options(database_url)
    return app


@pytest.fixture
def db(app: Flask) -> Iterator[Database]:
    db = Database()
    db.init_app(app)
    with app.app_context():
        prepare_engine(db.engine)
        Base.metadata.create_all(db.engine)
        db.in_transaction(lambda session: session.add_all([Thing(id=1, name="a"), Thing(id=2, name="b")]))
        yield db
        db.session.remove()
        db.engine.dispose()


def _give_up_waiting_early(db: Database) -> None:
    """Shrink the engine's own waits, which production holds at two seconds."""
    statement = (
        "PRAGMA busy_timeout=20" if db.engine.dialect.name == "sqlite" else "SET innodb_lock_wait_timeout=1"
    )
    _set_on_connect(db, statement)


def _set_on_connect(db: Database, statement: str) -> None:
    db.engine.dispose()
    event.listen(db.engine, "connect", lambda connection, _: connection.cursor().execute(statement))


def _kill(db: Database, connection_id: int) -> None:
    engine = create_engine(db.engine.url, poolclass=NullPool)
    with engine.connect() as other:
        other.execute(text(f"KILL {connection_id}"))


def _count(db: Database) -> int:
    with db.reading() as session:
        return session.scalar(select(func.count()).select_from(Thing)) or 0


def _number(db: Database, thing_id: int = 1) -> int:
    with db.reading() as session:
        return session.scalar(select(Thing.number).where(Thing.id == thing_id)) or 0


class Holder:
    """Another process, as far as the database can see: it holds a row (on SQLite, the file)."""

    def __init__(self, db: Database) -> None:
        engine = create_engine(
            db.engine.url, poolclass=NullPool, **_without_pool(engine_options(db.engine.url))
        )
        prepare_engine(engine)
        self._connection = engine.connect().execution_options(begin_immediate=True)
        self._connection.execute(update(Thing).where(Thing.id == 1).values(name="a"))

    def close(self) -> None:
        self._connection.close()


def _without_pool(options: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in options.items() if not name.startswith(("pool", "max_"))}


def test_the_work_is_stored_and_its_result_returned(db: Database) -> None:
    def work(session: Session) -> str:
        session.get_one(Thing, 1).number = 7
        return "done"

    assert db.in_transaction(work) == "done"
    assert _number(db) == 7


def test_an_error_of_the_work_stores_nothing_and_is_not_repeated(db: Database) -> None:
    runs = []

    def work(session: Session) -> None:
        runs.append(1)
        session.get_one(Thing, 1).number = 7
        session.flush()
        raise LookupError

    with pytest.raises(LookupError):
        db.in_transaction(work)
    assert _number(db) == 0
    assert len(runs) == 1


def test_a_constraint_is_told_and_not_repeated(db: Database) -> None:
    runs = []

    def work(session: Session) -> None:
        runs.append(1)
        session.add(Thing(name="a"))

    with pytest.raises(IntegrityError):
        db.in_transaction(work)
    assert len(runs) == 1
    assert _count(db) == 2


def test_work_that_waits_for_a_lock_is_repeated_until_it_gets_it(db: Database) -> None:
    _give_up_waiting_early(db)
    holder = Holder(db)
    failures = []

    @event.listens_for(db.engine, "handle_error")
    def let_go(_context: object) -> None:
        failures.append(1)
        holder.close()

    def work(session: Session) -> None:
        session.execute(update(Thing).where(Thing.id == 1).values(number=Thing.number + 1))

    db.in_transaction(work)

    assert failures == [1]
    assert _number(db) == 1


def test_work_that_never_gets_its_lock_stores_nothing_and_says_so(db: Database, clock: FakeClock) -> None:
    _give_up_waiting_early(db)
    failures = _count_failures(db, clock)

    with closing(Holder(db)), time_budget(2.5), pytest.raises(DatabaseUnavailable):
        db.in_transaction(lambda session: session.execute(update(Thing).values(number=1)))
    assert _number(db) == 0
    assert failures == [1] * 3


def _count_failures(db: Database, clock: FakeClock) -> list[int]:
    """Each failure of the database takes a second."""
    failures: list[int] = []

    def fail(_context: object) -> None:
        failures.append(1)
        clock.advance(1)

    event.listen(db.engine, "handle_error", fail)
    return failures


@SERVERS
def test_of_two_in_a_deadlock_both_are_stored_in_the_end(app: Flask, db: Database) -> None:
    # Whoever comes to the other's row first must still wait there when the other comes.
    _set_on_connect(db, "SET innodb_lock_wait_timeout=60")
    both_hold_one = threading.Barrier(2)
    errors: list[int] = []
    event.listen(db.engine, "handle_error", lambda context: errors.append(context.original_exception.args[0]))

    def add_to(first: int, second: int) -> Callable[[Session], None]:
        runs = []

        def work(session: Session) -> None:
            runs.append(1)
            session.execute(update(Thing).where(Thing.id == first).values(number=Thing.number + 1))
            if len(runs) == 1:
                both_hold_one.wait(timeout=60)
            session.execute(update(Thing).where(Thing.id == second).values(number=Thing.number + 1))

        return work

    def other() -> None:
        with app.app_context():
            db.in_transaction(add_to(2, 1))

    thread = threading.Thread(target=other)
    thread.start()
    db.in_transaction(add_to(1, 2))
    thread.join()

    assert (_number(db, 1), _number(db, 2)) == (2, 2)
    assert errors == [1213]


@SERVERS
def test_a_connection_lost_before_commit_repeats_the_work_whole(db: Database) -> None:
    runs = []

    def work(session: Session) -> None:
        runs.append(1)
        session.add(Thing(name="new"))
        session.flush()
        if len(runs) == 1:
            _kill(db, session.scalar(text("SELECT CONNECTION_ID()")) or 0)
            session.scalar(text("SELECT 1"))

    db.in_transaction(work)

    assert len(runs) == 2
    assert _count(db) == 3


@SERVERS
def test_a_connection_that_died_in_the_pool_costs_nothing(db: Database) -> None:
    with db.reading() as session:
        connection_id = session.scalar(text("SELECT CONNECTION_ID()")) or 0
    _kill(db, connection_id)

    db.in_transaction(lambda session: session.add(Thing(name="new")))

    assert _count(db) == 3


@SERVERS
def test_a_connection_lost_at_commit_is_unknown_and_not_repeated(db: Database) -> None:
    runs = []
    to_kill: list[int] = []

    @event.listens_for(db.engine, "commit")
    def lose(_connection: object) -> None:
        if to_kill:
            _kill(db, to_kill.pop())

    def work(session: Session) -> str:
        runs.append(1)
        session.add(Thing(name="new"))
        to_kill.append(session.scalar(text("SELECT CONNECTION_ID()")) or 0)
        return "what it did"

    with pytest.raises(CommitOutcomeUnknown) as caught:
        db.in_transaction(work)

    assert caught.value.result == "what it did"
    assert len(runs) == 1
    assert _count(db) in {2, 3}  # unknown; and the session works again


@pytest.mark.parametrize("number", [1205, 1213])
def test_a_commit_that_failed_leaves_nothing_behind_for_the_next_unit(db: Database, number: int) -> None:
    failures: list[int] = []

    @event.listens_for(db.engine, "commit")
    def fail_once(_connection: object) -> None:
        if not failures:
            failures.append(1)
            raise OperationalError("COMMIT", None, pymysql.err.OperationalError(number, "not now"))

    def work(session: Session) -> None:
        session.execute(update(Thing).where(Thing.id == 1).values(number=Thing.number + 1))

    db.in_transaction(work)

    assert failures == [1]
    assert _number(db) == 1  # the first run's work went with its connection


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (1105, "vttablet: rpc error: unavailable"),
        (1180, "Got error"),
        (1290, "read only"),
        (9999, "new to us"),
    ],
)
def test_a_commit_that_does_not_say_that_nothing_is_stored_is_unknown(
    db: Database, number: int, said: str
) -> None:
    runs = []

    @event.listens_for(db.engine, "commit")
    def fail(_connection: object) -> None:
        raise OperationalError("COMMIT", None, pymysql.err.OperationalError(number, said))

    def work(session: Session) -> str:
        runs.append(1)
        session.execute(update(Thing).values(number=1))
        return "what it did"

    with pytest.raises(CommitOutcomeUnknown) as caught:
        db.in_transaction(work)

    assert (caught.value.result, runs) == ("what it did", [1])


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (1105, "target: shop.0.primary: primary is not serving, there is a reparent operation in progress"),
        (1105, "vttablet: rpc error: code = Unavailable desc = connection error"),
        (1105, "wrong tablet type: PRIMARY, want: REPLICA"),
        (1105, "vttablet: transaction 17: ended (killed)"),
        (1317, "Query execution was interrupted"),
    ],
)
def test_what_a_proxy_ends_before_commit_is_repeated(db: Database, number: int, said: str) -> None:
    runs = []

    def work(session: Session) -> None:
        runs.append(1)
        session.execute(update(Thing).where(Thing.id == 1).values(number=Thing.number + 1))
        if len(runs) == 1:
            raise OperationalError("UPDATE", None, pymysql.err.OperationalError(number, said))

    db.in_transaction(work)

    assert (len(runs), _number(db)) == (2, 1)


def test_another_unknown_error_is_not_repeated(db: Database) -> None:
    runs = []

    def work(_session: Session) -> None:
        runs.append(1)
        raise OperationalError("SELECT", None, pymysql.err.OperationalError(1105, "syntax error near"))

    with pytest.raises(OperationalError):
        db.in_transaction(work)
    assert runs == [1]


@SERVERS
def test_a_rollback_that_fails_hides_no_error_and_costs_its_connection(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    roll_back = pymysql.connections.Connection.rollback
    failures: list[int] = []

    def fail_once(connection: Any) -> None:
        if failures or connection.thread_id() not in at_work:
            roll_back(connection)
            return
        failures.append(1)
        raise pymysql.err.OperationalError(1317, "interrupted")

    at_work: list[int] = []
    monkeypatch.setattr(pymysql.connections.Connection, "rollback", fail_once)

    def work(session: Session) -> None:
        session.execute(update(Thing).values(number=1))
        at_work.append(session.scalar(text("SELECT CONNECTION_ID()")) or 0)
        raise LookupError

    with pytest.raises(LookupError):
        db.in_transaction(work)

    assert failures == [1]
    assert _number(db) == 0


@SERVERS
def test_a_server_that_is_away_is_unavailable(db: Database, clock: FakeClock) -> None:
    url = db.engine.url.set(port=1)
    app = Flask("away")
    app.config["SQLALCHEMY_DATABASE_URI"] = url.render_as_string(hide_password=False)
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = engine_options(url)
    away = Database()
    away.init_app(app)

    with app.app_context(), time_budget(2.5):
        failures = _count_failures(away, clock)
        with pytest.raises(DatabaseUnavailable):
            away.in_transaction(lambda session: session.execute(text("SELECT 1")))
        assert failures == [1] * 3
        with pytest.raises(DatabaseUnavailable), away.reading() as session:
            session.execute(text("SELECT 1"))


def test_no_network_call_leaves_a_unit_of_work(db: Database) -> None:
    with pytest.raises(NetworkCallInTransaction):
        db.in_transaction(leave_transaction)


def test_no_network_call_leaves_unsaved_changes(db: Database) -> None:
    db.session.add(Thing(name="unsaved"))

    with pytest.raises(NetworkCallInTransaction):
        leave_transaction(db.session())


def test_a_transaction_that_only_read_is_closed_before_a_network_call(db: Database) -> None:
    session: Session = db.session()
    session.scalar(select(Thing.id))
    assert session.in_transaction()

    leave_transaction(session)

    assert not session.in_transaction()


def test_rows_can_be_read_after_their_transaction(db: Database) -> None:
    thing = db.in_transaction(lambda session: session.get_one(Thing, 1))

    assert thing.name == "a"
    assert not db.session().in_transaction()


def test_moments_keep_their_microseconds_and_their_zone(db: Database) -> None:
    moment = datetime(2026, 11, 21, 10, 0, 0, 123456, tzinfo=timezone(timedelta(hours=1)))

    def work(session: Session) -> None:
        session.get_one(Thing, 1).made_at = moment

    db.in_transaction(work)

    with db.reading() as session:
        stored = session.scalar(select(Thing.made_at).where(Thing.id == 1))
    assert stored == moment
    assert stored is not None
    assert stored.tzinfo is UTC


def test_a_moment_without_a_zone_cannot_be_stored(db: Database) -> None:
    with pytest.raises(StatementError, match="without a time zone"):
        db.in_transaction(lambda session: session.add(Thing(name="x", made_at=datetime(2026, 1, 1))))  # noqa: DTZ001


def test_keys_that_differ_in_case_are_two_keys(db: Database) -> None:
    db.in_transaction(lambda session: session.add_all([Thing(name="key"), Thing(name="Key")]))

    with db.reading() as session:
        assert session.scalar(select(func.count()).where(Thing.name == "KEY")) == 0
        assert session.scalar(select(func.count()).where(Thing.name == "Key")) == 1


@SERVERS
def test_every_connection_has_the_settings_on_which_we_rely(db: Database) -> None:
    with db.reading() as session:
        mode, zone, wait_s, charset = session.execute(
            text("SELECT @@sql_mode, @@time_zone, @@innodb_lock_wait_timeout, @@character_set_connection")
        ).one()
        isolation = session.connection().get_isolation_level()

    assert {"STRICT_TRANS_TABLES", "ONLY_FULL_GROUP_BY"} <= set(mode.split(","))
    assert (zone, wait_s, charset, isolation) == ("+00:00", 2, "utf8mb4", "READ COMMITTED")


@SERVERS
def test_a_server_has_the_time_that_its_address_gives_it(database_url: str) -> None:
    plain = make_url(database_url).set(query={"charset": "utf8mb4"})
    patient = plain.update_query_dict({"read_timeout": "60"})

    given = [engine_options(url)["connect_args"] for url in (plain, patient)]

    assert (given[0]["connect_timeout"], given[0]["read_timeout"]) == (1, 10)
    assert given[1] == {name: value for name, value in given[0].items() if name != "read_timeout"}
    with create_engine(patient, poolclass=NullPool).connect() as connection:
        assert connection.connection.driver_connection._read_timeout == 60  # type: ignore[union-attr]


@SQLITE
def test_sqlite_is_set_up_for_two_processes_and_for_power_cuts(db: Database) -> None:
    with db.reading() as session:
        values = {
            name: session.scalar(text(f"PRAGMA {name}"))
            for name in ("journal_mode", "synchronous", "busy_timeout", "foreign_keys")
        }

    assert values == {"journal_mode": "wal", "synchronous": 2, "busy_timeout": 2000, "foreign_keys": 1}


@SQLITE
def test_a_unit_takes_sqlites_write_lock_at_its_beginning(db: Database) -> None:
    statements: list[str] = []
    event.listen(
        db.engine, "before_cursor_execute", lambda _c, _k, statement, *_: statements.append(statement)
    )

    db.in_transaction(lambda session: session.scalar(select(Thing.id)))
    with db.reading() as session:
        session.scalar(select(Thing.id))

    assert [line for line in statements if line.startswith("BEGIN")] == ["BEGIN IMMEDIATE", "BEGIN"]


def test_rows_that_an_update_leaves_as_they_were_count_as_affected(db: Database) -> None:
    same = update(Thing).where(Thing.name.in_(["a", "b", "c"])).values(number=0)

    assert db.in_transaction(lambda session: affected_rows(session, same)) == 2
    assert db.in_transaction(lambda session: affected_rows(session, delete(Thing).where(Thing.id == 1))) == 1
    assert db.in_transaction(lambda session: affected_rows(session, delete(Thing).where(Thing.id == 1))) == 0
